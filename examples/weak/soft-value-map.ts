/** The last pages are held strongly. Others are found while they live. */
import { SoftValueMap } from 'tenure/weak';

const pages = new SoftValueMap<string, { html: string }>({ maxStrong: 2 });
for (const path of ['/a', '/b', '/c']) pages.set(path, { html: `page ${path}` });
console.log(pages.get('/c')?.html, pages.strong);

// prints:
// page /c 2
