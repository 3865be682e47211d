/** A context manager as a decorator: each call of the function runs in a fresh context. */
import { asyncContextManager, contextManager } from 'tenure/scope';

const logged = contextManager(function* logged(name: string) {
  console.log(`begin ${name}`);
  try {
    yield;
  } finally {
    console.log(`end ${name}`);
  }
});
const add = logged.around('add')((a: number, b: number) => a + b);
console.log(add(1, 2));

const session = asyncContextManager(async function* session(user: string) {
  yield user;
  console.log(`log out ${user}`);
});
console.log(await session('ada').run(async (user) => `hello ${user}`));

// prints:
// begin add
// end add
// 3
// log out ada
// hello ada
