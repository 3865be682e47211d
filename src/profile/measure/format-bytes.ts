/** Numbers of bytes for readers. */

/** Gives a number of bytes with its unit: `312 B`, `1.5 kB`, `-20.0 MB`. */
export function formatBytes(bytes: number): string {
  const size = Math.abs(bytes);
  if (size < 1_000) return `${Math.round(bytes)} B`;
  if (size < 999_950) return `${(bytes / 1_000).toFixed(1)} kB`;
  return size < 999_950_000
    ? `${(bytes / 1_000_000).toFixed(1)} MB`
    : `${(bytes / 1_000_000_000).toFixed(1)} GB`;
}
