/** The export for DevTools, loaded by the DevTools of a real Chromium, as its button "Load profile" does. */
import { type AllocationProfile, sample } from 'tenure/profile/v8';
import { expect } from 'vitest';
import { testOnPage } from '../../kit/chromium.js';

const DEVTOOLS = 'devtools://devtools/bundled/inspector.html';

/** A function of DevTools' table: line and column from 0, as in the file. */
interface TheirFunction {
  readonly name: string;
  readonly url: string;
  readonly line: number;
  readonly selfBytes: number;
}

/** What DevTools says about a profile. */
interface TheirProfile {
  readonly total: number;
  readonly depth: number;
  readonly functions: TheirFunction[];
}

function allocateForDevTools(): object[] {
  return Array.from({ length: 20_000 }, (_, i) => ({ i, list: [i] }));
}

async function sampled(): Promise<AllocationProfile> {
  const sampling = sample({ intervalBytes: 2048 });
  const kept = allocateForDevTools();
  const profile = await sampling.stop();
  expect(kept).toHaveLength(20_000);
  return profile;
}

testOnPage(
  'DevTools loads a heapprofile, and has the same totals, functions and lines',
  async (tab) => {
    const profile = await sampled();
    await tab.goto(DEVTOOLS);
    await tab.waitForFunction(HAS_STARTED);
    const theirs = (await tab.evaluate(loading(profile.export('heapprofile')))) as TheirProfile;
    expect(theirs.total).toBe(profile.totalBytes);
    const byFunction = new Map<string, number>();
    for (const { name, url, line, selfBytes } of theirs.functions) {
      const key = `${name === '' ? '(anonymous)' : name} ${url}:${line + 1}`;
      byFunction.set(key, (byFunction.get(key) ?? 0) + selfBytes);
    }
    const ours = profile.functions().filter(({ selfBytes }) => selfBytes > 0);
    expect(ours.length).toBeGreaterThan(0);
    for (const { name, file, line, selfBytes } of ours) {
      expect(byFunction.get(`${name} ${file}:${line}`), `${name} ${file}`).toBe(selfBytes);
    }
    expect(theirs.depth).toBeGreaterThan(1);
  },
);

/** Whether DevTools has its settings, without which its parts cannot be used. */
const HAS_STARTED = `import('./core/common/common.js').then(({ Settings }) => {
  try {
    return Settings.Settings.instance() !== undefined;
  } catch {
    return false;
  }
})`;

/** Loads a file as DevTools' own button does, and reads the model that its table and its flame chart show. */
function loading(file: string): string {
  return `(async () => {
    const { i18n } = await import('./core/i18n/i18n.js');
    await i18n.fetchAndRegisterLocaleData('en-US');
    const { HeapProfileView } = await import('./panels/profiler/profiler.js');
    const type = new HeapProfileView.SamplingHeapProfileType();
    const error = await type.loadFromFile(new File([${JSON.stringify(file)}], 'memory.heapprofile'));
    if (error !== null) throw error;
    const [header] = type.getProfiles();
    const { root, total, maxDepth } = new HeapProfileView.SamplingHeapProfileModel(header.profile);
    const functions = [];
    for (const pending = [root]; pending.length > 0; ) {
      const node = pending.pop();
      functions.push({ name: node.functionName, url: node.url, line: node.lineNumber, selfBytes: node.self });
      pending.push(...node.children);
    }
    return { total, depth: maxDepth, functions };
  })()`;
}
