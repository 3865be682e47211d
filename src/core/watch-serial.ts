let watches = 0;

/** Gives the serial of a new watch. It tells its nodes from those of an earlier watch, which the component has not forgotten yet. */
export function nextWatchSerial(): number {
  watches++;
  return watches;
}
