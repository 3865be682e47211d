/** The tree of calls that allocated, as V8 samples it: one node for each stack, with what was allocated at its innermost call. */

/** A node of V8's profile: `HeapProfiler.SamplingHeapProfileNode` of its inspector. */
interface RawNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    /** From 0; -1 for functions of the engine, and below 0 before the first line of a script whose source is wrapped. */
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
  readonly selfSize: number;
  readonly children: readonly RawNode[];
}

/** V8's profile: `HeapProfiler.SamplingHeapProfile` of its inspector. */
export interface RawProfile {
  readonly head: RawNode;
  /** One for each object that was sampled. */
  readonly samples: readonly { readonly nodeId: number; readonly size: number }[];
}

/** A function, as V8's allocation profile names it. */
export interface ProfiledFunction {
  /** Name of the function; `(anonymous)` if it has none. */
  readonly name: string;
  /** File or URL; empty for functions of the engine. */
  readonly file: string;
  /** Line where the function begins, from 1; 0 if V8 gives none. V8 samples functions, not lines. */
  readonly line: number;
  /** Column where the function begins, from 1; 0 if V8 gives none. */
  readonly column: number;
}

export interface CallNode {
  readonly of: ProfiledFunction;
  /** Estimate of what the function allocated itself on this stack, in bytes. */
  readonly selfBytes: number;
  /** Samples behind `selfBytes`. */
  readonly selfSamples: number;
  /** Sum of `selfBytes` over this node and all below it. */
  readonly totalBytes: number;
  readonly children: readonly CallNode[];
}

/** Gives the tree of V8's profile. Its depth is bounded by the depth of stacks that V8 samples. */
export function callTree(profile: RawProfile): CallNode {
  const samplesOf = new Map<number, number>();
  for (const { nodeId } of profile.samples) {
    samplesOf.set(nodeId, (samplesOf.get(nodeId) ?? 0) + 1);
  }
  const build = ({ callFrame, selfSize, id, children }: RawNode): CallNode => {
    const below = children.map(build);
    return {
      of: {
        name: callFrame.functionName === '' ? '(anonymous)' : callFrame.functionName,
        file: callFrame.url,
        line: Math.max(0, callFrame.lineNumber + 1),
        column: Math.max(0, callFrame.columnNumber + 1),
      },
      selfBytes: selfSize,
      selfSamples: samplesOf.get(id) ?? 0,
      totalBytes: below.reduce((sum, { totalBytes }) => sum + totalBytes, selfSize),
      children: below,
    };
  };
  return build(profile.head);
}

/**
 * Calls `visitor` with each node and its stack: outermost function first, its own last. The root is on no stack, and is visited if
 * the engine itself has allocated.
 */
export function visitCalls(
  root: CallNode,
  visitor: (node: CallNode, stack: readonly ProfiledFunction[]) => void,
): void {
  const stack: ProfiledFunction[] = [];
  const visit = (node: CallNode): void => {
    stack.push(node.of);
    visitor(node, stack);
    for (const child of node.children) visit(child);
    stack.pop();
  };
  if (root.selfBytes > 0) visitor(root, [root.of]);
  for (const child of root.children) visit(child);
}

/** Gives the number of samples of a node and all below it. */
export function samplesIn({ selfSamples, children }: CallNode): number {
  return children.reduce((sum, child) => sum + samplesIn(child), selfSamples);
}

/** Gives what is equal for two calls of one function only. */
export function functionKey({ name, file, line, column }: ProfiledFunction): string {
  return `${name}\n${file}\n${line}\n${column}`;
}

/** Gives a function in one line: `parse (/app/orders.js:12)`. */
export function functionLabel({ name, file, line }: ProfiledFunction): string {
  if (file === '') return name;
  return `${name} (${file}${line > 0 ? `:${line}` : ''})`;
}
