/** Callers that work at one time, as the requests of a service do. */

/** How many callers there are. */
const CALLERS = 40;

/** Has 40 callers do `operation` so many times in all, each one time after the other. */
export async function byCallers(
  operations: number,
  operation: () => Promise<unknown>,
): Promise<void> {
  let left = operations;
  const caller = async (): Promise<void> => {
    while (left-- > 0) await operation();
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}
