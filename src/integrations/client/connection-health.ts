/** Whether a connection can still be used. */
import type { EventEmitter } from 'node:events';

/** Follows one connection until it breaks. */
export class ConnectionHealth {
  /** Whether the connection has reported an error, has ended, or was cut. */
  isBroken = false;

  /** `onBroken` is called once, with the reason, when the connection breaks by itself. */
  constructor(connection: EventEmitter, onBroken: (reason: Error) => void) {
    const breaks = (reason: Error): void => {
      if (this.isBroken) return;
      this.isBroken = true;
      onBroken(reason);
    };
    connection.on('error', breaks); // Without a listener, a connection that breaks while it is idle ends the process.
    connection.on('end', () => breaks(new Error('the connection has ended')));
  }
}
