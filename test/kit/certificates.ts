/** Self-signed certificates for servers of tests, made by the openssl on the PATH. Without it the tests are skipped with a message. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sayMissing } from './say-missing.js';

/** Whether certificates can be made. */
export const canMakeCertificates: boolean = spawnSync('openssl', ['version']).status === 0;

if (!canMakeCertificates) {
  sayMissing('NO OPENSSL: put openssl on the PATH. Connections by TLS are NOT TESTED.');
}

/** The user that Postgres runs as if the tests run as root. */
const NOBODY = 65_534;

/** The files that a server reads, with one of several certificates for 127.0.0.1. */
export class Certificates implements Disposable {
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'tenure-certificates-'));
  readonly file: string = join(this.#folder, 'server.crt');
  readonly keyFile: string = join(this.#folder, 'server.key');

  constructor() {
    chmodSync(this.#folder, 0o755);
    for (const name of ['first', 'second', 'server']) this.#make(name);
  }

  /** The text of a certificate. */
  textOf(name: 'first' | 'second'): string {
    return readFileSync(join(this.#folder, `${name}.crt`), 'utf8');
  }

  /** Puts a certificate in the place of the server's. */
  use(name: 'first' | 'second'): void {
    copyFileSync(join(this.#folder, `${name}.crt`), this.file);
    copyFileSync(join(this.#folder, `${name}.key`), this.keyFile);
  }

  #make(name: string): void {
    const key = join(this.#folder, `${name}.key`);
    const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    const files = ['-nodes', '-keyout', key, '-out', join(this.#folder, `${name}.crt`)];
    const subject = ['-days', '2', '-subj', '/CN=tenure', '-addext', 'subjectAltName=IP:127.0.0.1'];
    execFileSync('openssl', [...request, ...files, ...subject], { stdio: 'ignore' });
    chmodSync(key, 0o600); // Postgres refuses a key that others may read.
    if (process.getuid?.() === 0) chownSync(key, NOBODY, NOBODY);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
