/** Durations, rates and colours in printed reports. */

/** Gives a duration with its unit: `12ms`, `1.5s`, `2m5s`, `1h20m`. */
export function duration(millis: number): string {
  if (millis < 1_000) return `${Math.round(millis)}ms`;
  if (millis < 60_000) return `${(millis / 1_000).toFixed(1)}s`;
  const minutes = Math.floor(millis / 60_000);
  if (minutes < 60) return `${minutes}m${Math.floor((millis % 60_000) / 1_000)}s`;
  return `${Math.floor(minutes / 60)}h${minutes % 60}m`;
}

/** Gives a rate in the unit of time in which it is 1 or more: `1.5/s`, `2.0/min`, `0.5/h`. */
export function rateOf(perMinute: number): string {
  const [amount, unit] =
    perMinute >= 60
      ? [perMinute / 60, 's']
      : perMinute >= 1
        ? [perMinute, 'min']
        : [perMinute * 60, 'h'];
  return `${amount >= 10 ? Math.round(amount) : amount.toFixed(1)}/${unit}`;
}

/** Gives a text in a style. */
export type Paint = (style: keyof typeof ANSI, text: string) => string;

const ANSI = { bold: 1, red: 31, green: 32, yellow: 33 } as const;

/** Leaves the text as it is. */
export const plain: Paint = (_style, text) => text;

/** Adds the escape codes of a terminal. */
export const ansi: Paint = (style, text) => `\u001b[${ANSI[style]}m${text}\u001b[0m`;
