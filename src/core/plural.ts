/** Gives a count with its noun: `1 loan`, `2 loans`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
