/**
 * The program of the page that {@link exportHtml} writes. It is a text, since it runs in a browser, without this
 * package. It is plain JavaScript without any `<`, so that it cannot end its script element.
 *
 * The layout simulates springs along edges, and charges that push all nodes apart (Fruchterman and Reingold, *Graph
 * Drawing by Force-directed Placement*, 1991). It cools down step by step. It begins on a spiral and uses no random
 * numbers, so the same heap always gives the same picture. The program computes the layout before it draws, so nothing
 * moves by itself.
 */
export const HTML_PICTURE_SCRIPT: string = `
(() => {
'use strict';
const { nodes, edges } = JSON.parse(document.getElementById('heap').textContent);
const SVG = 'http://www.w3.org/2000/svg';
const svg = document.getElementById('picture');
const facts = document.getElementById('facts');

function layOut() {
  const { max, hypot } = Math;
  const ideal = 56;
  const count = nodes.length;
  const at = nodes.map((_, i) => {
    const angle = i * Math.PI * (3 - Math.sqrt(5));
    const distance = (ideal / 2) * Math.sqrt(i);
    return { x: distance * Math.cos(angle), y: distance * Math.sin(angle), dx: 0, dy: 0 };
  });
  const rounds = Math.max(20, Math.min(300, Math.round(4e7 / (count * count + 1))));
  for (let round = rounds; round > 0; round--) {
    for (let i = count - 1; i >= 0; i--) {
      const a = at[i];
      for (let j = i - 1; j >= 0; j--) {
        const b = at[j];
        const x = a.x - b.x;
        const y = a.y - b.y;
        const push = (ideal * ideal) / max(1, x * x + y * y);
        a.dx += x * push;
        a.dy += y * push;
        b.dx -= x * push;
        b.dy -= y * push;
      }
    }
    for (const { from, to } of edges) {
      const a = at[from];
      const b = at[to];
      const x = a.x - b.x;
      const y = a.y - b.y;
      const pull = hypot(x, y) / ideal;
      a.dx -= x * pull;
      a.dy -= y * pull;
      b.dx += x * pull;
      b.dy += y * pull;
    }
    const warmth = (ideal * round) / rounds;
    for (const a of at) {
      a.dx -= a.x * 0.9;
      a.dy -= a.y * 0.9;
      const force = max(1, hypot(a.dx, a.dy));
      const step = Math.min(force, warmth) / force;
      a.x += a.dx * step;
      a.y += a.dy * step;
      a.dx = 0;
      a.dy = 0;
    }
  }
  return at;
}

function make(parent, name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

const at = layOut();
const lines = edges.map(({ from, to, weak, count }) => {
  const a = at[from];
  const b = at[to];
  const group = make(svg, 'g', { class: weak ? 'edge weak' : 'edge' });
  if (from === to) {
    make(group, 'path', {
      d: 'M' + (a.x - 6) + ' ' + (a.y - 10) + 'c-22 -34 34 -34 14 0',
      'marker-end': 'url(#arrow)',
    });
    if (count > 1) make(group, 'text', { x: a.x, y: a.y - 38 }, '\\u00d7' + count);
    return group;
  }
  const length = Math.max(1, Math.hypot(b.x - a.x, b.y - a.y));
  const x = (b.x - a.x) / length;
  const y = (b.y - a.y) / length;
  const bend = 8;
  const middle = { x: (a.x + b.x) / 2 - y * bend * 2, y: (a.y + b.y) / 2 + x * bend * 2 };
  make(group, 'path', {
    d: 'M' + (a.x + x * 13) + ' ' + (a.y + y * 13) + 'Q' + middle.x + ' ' + middle.y + ' ' +
      (b.x - x * 16 - y * 3) + ' ' + (b.y - y * 16 + x * 3),
    'marker-end': 'url(#arrow)',
  });
  if (count > 1) make(group, 'text', { x: middle.x, y: middle.y }, '\\u00d7' + count);
  return group;
});

const groups = nodes.map((node, i) => {
  const classes = ['node', node.fillClass];
  if (node.root) classes.push('root');
  if (node.focus) classes.push('focus');
  const group = make(svg, 'g', {
    class: classes.join(' '),
    transform: 'translate(' + at[i].x + ' ' + at[i].y + ')',
    tabindex: i === 0 ? 0 : -1,
    role: 'img',
    'aria-label': node.kind + ', ' + node.generationName + ', ' + node.facts,
  });
  make(group, 'circle', { r: 12 });
  const short = [...node.kind.replace(/\\s+/g, ' ')];
  make(group, 'text', { y: 27 }, short.length > 24 ? short.slice(0, 23).join('') + '\\u2026' : short.join(''));
  group.addEventListener('focus', () => select(i));
  group.addEventListener('click', () => group.focus());
  return group;
});

function select(i) {
  const near = new Set([i]);
  edges.forEach(({ from, to }, e) => {
    const touches = from === i || to === i;
    lines[e].classList.toggle('lit', touches);
    if (touches) near.add(from).add(to);
  });
  groups.forEach((group, j) => {
    group.setAttribute('tabindex', j === i ? 0 : -1);
    group.classList.toggle('lit', near.has(j));
  });
  svg.classList.add('selecting');
  const node = nodes[i];
  const to = edges.filter((edge) => edge.from === i).map((edge) => nodes[edge.to].name);
  const from = edges.filter((edge) => edge.to === i).map((edge) => nodes[edge.from].name);
  facts.textContent = [
    node.kind,
    node.facts,
    node.generationName,
    'handle ' + node.handle,
    'refers to: ' + (to.join(', ') || 'nothing shown'),
    'referred to by: ' + (from.join(', ') || 'nothing shown'),
  ].join('\\n');
}

function unselect() {
  svg.classList.remove('selecting');
  facts.textContent = '';
}

/** Returns the nearest node in the direction of an arrow key, from node i. */
function neighbour(i, x, y) {
  let best = -1;
  let least = Infinity;
  at.forEach((b, j) => {
    const dx = b.x - at[i].x;
    const dy = b.y - at[i].y;
    const ahead = dx * x + dy * y;
    const aside = Math.abs(dx * y) + Math.abs(dy * x);
    const cost = ahead + 2 * aside;
    if (j !== i && ahead > aside / 2 && least > cost) {
      best = j;
      least = cost;
    }
  });
  return best;
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
svg.addEventListener('keydown', (event) => {
  const i = groups.indexOf(event.target);
  const arrow = ARROWS[event.key];
  if (arrow !== undefined && i >= 0) {
    const next = neighbour(i, arrow[0], arrow[1]);
    if (next >= 0) groups[next].focus();
    event.preventDefault();
  } else if (event.key === '+') zoom(0.8);
  else if (event.key === '-') zoom(1.25);
  else if (event.key === 'Escape') unselect();
});

const view = (() => {
  const xs = at.map(({ x }) => x);
  const ys = at.map(({ y }) => y);
  const left = Math.min(0, ...xs) - 70;
  const top = Math.min(0, ...ys) - 60;
  return {
    x: left,
    y: top,
    width: Math.max(0, ...xs) + 70 - left,
    height: Math.max(0, ...ys) + 60 - top,
  };
})();

function show() {
  svg.setAttribute('viewBox', [view.x, view.y, view.width, view.height].join(' '));
}

function zoom(factor) {
  view.x += (view.width * (1 - factor)) / 2;
  view.y += (view.height * (1 - factor)) / 2;
  view.width *= factor;
  view.height *= factor;
  show();
}

document.getElementById('zoom-in').addEventListener('click', () => zoom(0.8));
document.getElementById('zoom-out').addEventListener('click', () => zoom(1.25));
let drag = null;
svg.addEventListener('pointerdown', (event) => {
  drag = { x: event.clientX, y: event.clientY };
});
svg.addEventListener('pointermove', (event) => {
  if (drag === null || event.buttons === 0) return;
  const scale = Math.max(view.width / svg.clientWidth, view.height / svg.clientHeight);
  view.x -= (event.clientX - drag.x) * scale;
  view.y -= (event.clientY - drag.y) * scale;
  drag = { x: event.clientX, y: event.clientY };
  show();
});
show();
})();
`;
