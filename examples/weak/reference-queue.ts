/** Deaths that are handled in a loop, when it suits. */
import { PhantomReference, ReferenceQueue, wasCollected } from 'tenure/weak';

const gone = new ReferenceQueue<string>();
const next = gone.take();
await wasCollected(() => {
  const upload = { path: '/tmp/upload-1' };
  new PhantomReference(upload, gone, upload.path);
  return upload;
});
console.log((await next).tag, gone.length);

// prints:
// /tmp/upload-1 0
