/** Just enough of a browser to run the program of an exported page, and to look at what it drew. */
import { createContext, Script } from 'node:vm';

interface PageEvent {
  readonly key?: string;
  readonly target?: StandIn;
  preventDefault(): void;
}

class StandIn {
  textContent = '';
  readonly children: StandIn[] = [];
  readonly attributes = new Map<string, string>();
  readonly listeners = new Map<string, (event: PageEvent) => void>();
  readonly classList = { add: (): void => {}, remove: (): void => {}, toggle: (): void => {} };
  readonly name: string;
  readonly #page: { focused?: StandIn };

  constructor(name: string, page: { focused?: StandIn }) {
    this.name = name;
    this.#page = page;
  }

  setAttribute(name: string, value: string): void {
    this.attributes.set(name, String(value));
  }

  append(child: StandIn): void {
    this.children.push(child);
  }

  addEventListener(type: string, listener: (event: PageEvent) => void): void {
    this.listeners.set(type, listener);
  }

  focus(): void {
    this.#page.focused = this;
    this.fire('focus', { preventDefault: () => {} });
  }

  fire(type: string, event: PageEvent): void {
    this.listeners.get(type)?.(event);
  }
}

export interface Picture {
  elements(className: string): StandIn[];
  /** Where each node is. */
  places(): number[][];
  /** The accessible name of a node. */
  label(node: number): string;
  /** What the page says of a node when it is focused. */
  facts(node: number): string;
  /** The nodes that Tab stops at. */
  tabStops(): number[];
  /** Presses a key on a node, and returns which node has the focus then. */
  press(node: number, key: string): number;
}

export function runPage(page: string): Picture {
  const state: { focused?: StandIn } = {};
  const byId = new Map<string, StandIn>();
  for (const [, name = '', id = ''] of page.matchAll(/<([a-z]+)[^>]* id="([a-z]+)"/g)) {
    byId.set(id, new StandIn(name, state));
  }
  const [, data = ''] =
    /<script type="application\/json" id="heap">([\s\S]*?)<\/script>/.exec(page) ?? [];
  const [, program = ''] = /<script>([\s\S]*?)<\/script>/.exec(page) ?? [];
  (byId.get('heap') as StandIn).textContent = data;
  new Script(program).runInContext(
    createContext({
      document: {
        getElementById: (id: string) => byId.get(id),
        createElementNS: (_: string, name: string) => new StandIn(name, state),
      },
    }),
  );
  const svg = byId.get('picture') as StandIn;
  const elements = (className: string): StandIn[] =>
    svg.children.filter(({ attributes }) => attributes.get('class')?.split(' ')[0] === className);
  const node = (i: number): StandIn => elements('node')[i] as StandIn;
  return {
    elements,
    places: () =>
      elements('node').map(({ attributes }) =>
        (attributes.get('transform') ?? '').slice('translate('.length, -1).split(' ').map(Number),
      ),
    label: (i) => node(i).attributes.get('aria-label') ?? '',
    facts: (i) => {
      node(i).focus();
      return (byId.get('facts') as StandIn).textContent;
    },
    tabStops: () =>
      elements('node').flatMap(({ attributes }, i) =>
        attributes.get('tabindex') === '0' ? [i] : [],
      ),
    press: (i, key) => {
      node(i).focus();
      svg.fire('keydown', { key, target: node(i), preventDefault: () => {} });
      return elements('node').indexOf(state.focused as StandIn);
    },
  };
}
