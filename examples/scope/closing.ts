/** A value that has a closing method and is not disposable. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { closing } from 'tenure/scope';

{
  // The close method of a server gives no promise, so a function waits for its event.
  await using server = closing(createServer(), async (it) => {
    it.close();
    await once(it, 'close');
    console.log('server closed');
  });
  await once(server.value.listen(0), 'listening');
  console.log('listening');
}
console.log(closing({ end: () => console.log('ended') }, 'end').run(() => 'used'));

// prints:
// listening
// server closed
// ended
// used
