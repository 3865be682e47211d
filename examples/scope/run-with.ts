/** Several resources that commit or roll back together: each member of the stack is told of the error of the block. */
import { contextManager, runWith, runWithAsync } from 'tenure/scope';

const transaction = contextManager(function* transaction(name: string) {
  try {
    yield name;
    console.log(`commit ${name}`);
  } catch (error) {
    console.log(`roll back ${name}`);
    throw error;
  }
});

const order = (fail: boolean) =>
  runWith((stack) => {
    stack.enter(transaction('orders'));
    stack.enter(transaction('stock'));
    if (fail) throw new Error('out of stock');
    return 'ordered';
  });
console.log(order(false));
try {
  console.log(order(true));
} catch (error) {
  console.log((error as Error).message);
}

await runWithAsync(async (stack) => {
  stack.defer(async (failure, name: string) => console.log(`close ${name}`, failure), 'socket');
});

// prints:
// commit stock
// commit orders
// ordered
// roll back stock
// roll back orders
// out of stock
// close socket undefined
