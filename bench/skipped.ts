/** Thrown by a bench that cannot run on this machine. The report says why in place of its rows. */
export class BenchSkipped extends Error {
  override readonly name = 'BenchSkipped';
}
