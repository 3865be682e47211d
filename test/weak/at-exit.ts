/** A program whose finalizers run when it ends. `finalize-at-exit.test.ts` starts it; the argument says how it ends. */
import { finalize } from '../../src/weak/index.js';

const target = {};
const print = (line: string) => console.log(line);

finalize(target, print, 'f1');
const f2 = finalize(target, print, 'f2');
finalize(target, () => {
  finalize(target, print, 'g1');
  console.log('f3 error');
  throw new Error('of f3');
});
finalize(target, print, 'f4');
const f5 = finalize(target, print, 'f5');
f2.atexit = false;
f5.atexit = false;
const f6 = finalize(target, print, 'f6');
finalize(target, () => {
  print(`f7 calls f6: ${f6()}`);
});
f5.atexit = true;
const f8 = finalize(target, print, 'f8');
finalize(target, () => {
  f8.atexit = false;
  print('f9 spares f8');
});
finalize(target, print, 'f10').detach();

const how = process.argv[2];
if (how === 'exit') process.exit(3);
if (how === 'throw') throw new Error('uncaught');
