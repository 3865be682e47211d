/** Has a bench measure the build: `npm run bench:one bench/pool/beside-peers.ts`. */
import { register } from 'node:module';

register('./build-hooks.js', import.meta.url);
