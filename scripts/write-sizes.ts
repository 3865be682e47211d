/** `npm run sizes`: replaces the size table in the README. */
import { readFileSync, writeFileSync } from 'node:fs';
import { bundleAlone, SUBPATHS, sizeTable, withSizeTable } from './bundle-sizes.js';

const README = new URL('../README.md', import.meta.url);

const sizes = await Promise.all(SUBPATHS.map((subpath) => bundleAlone(subpath)));
writeFileSync(README, withSizeTable(readFileSync(README, 'utf8'), sizeTable(sizes)));
