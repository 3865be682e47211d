/** Whether this machine stores the low byte first. Native formats have the order of the machine. */
export const LITTLE_ENDIAN: boolean = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
