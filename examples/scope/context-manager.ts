/** Set-up and tear-down as one function. A body that commits or rolls back is told of the error of its block. */
import { contextManager } from 'tenure/scope';

const transaction = contextManager(function* transaction(name: string) {
  console.log(`begin ${name}`);
  try {
    yield { insert: (row: string) => console.log(`insert ${row}`) };
    console.log('commit');
  } catch (error) {
    console.log('roll back');
    throw error;
  }
});

{
  using tx = transaction('orders');
  tx.value.insert('tea');
}
try {
  const sell = (): number => {
    throw new Error('out of stock');
  };
  console.log(transaction('stock').run(sell));
} catch (error) {
  console.log((error as Error).message);
}

// prints:
// begin orders
// insert tea
// commit
// begin stock
// roll back
// out of stock
