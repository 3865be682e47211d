/** Tells a client of pg that waits for notifications (`LISTEN`). Its holder keeps it as long as the process runs. */

/** Whether a resource of any pool has a listener for the notifications of Postgres. O(1). */
export function hearsNotifications(resource: unknown): boolean {
  const client = resource as { listenerCount?(event: string): number } | null | undefined;
  return Number(client?.listenerCount?.('notification')) > 0;
}
