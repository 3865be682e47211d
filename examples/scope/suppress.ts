/** Errors of some classes that do not matter, and a context that is optional. */
import { contextManager, nullContext, suppress } from 'tenure/scope';

const lenient = suppress(SyntaxError);
console.log(lenient.run(() => JSON.parse('{"port": 80}')));
console.log(lenient.run(() => JSON.parse('{')));
console.log(lenient.outcome(() => JSON.parse('{')).handled);

const opened = contextManager(function* opened(path: string) {
  yield `text of ${path}`;
  console.log(`close ${path}`);
});
for (const source of [opened('a.txt'), nullContext('text in memory')]) {
  using text = source;
  console.log(text.value);
}

// prints:
// { port: 80 }
// undefined
// true
// text of a.txt
// close a.txt
// text in memory
