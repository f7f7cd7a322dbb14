"use strict";
(() => {
const trace = JSON.parse(document.getElementById("trace").textContent);
const $ = (id) => document.getElementById(id);
const BATCH_ROWS = 64, CELL = 46;

// ------------------------------------------------------------------ state

const state = { step: 0, sample: 0, chosen: null, shared: false, language: "en", before: [] };
let playing = null;

// ------------------------------------------------------------------ words

const say = (pair) => (Array.isArray(pair) ? pair[state.language === "zh" ? 1 : 0] : pair);
const label = (key) => say(trace.labels[key] ?? key);

// ------------------------------------------------------------------ arrays

function decode(buffer) {
  const bytes = Uint8Array.from(atob(buffer.data), (c) => c.charCodeAt(0));
  return buffer.dtype === "float32" ? new Float32Array(bytes.buffer) : new Float64Array(bytes.buffer);
}

const buffers = trace.buffers.map(() => null);
const arrays = trace.arrays.map((a, number) => ({ ...a, number, size: a.shape.reduce((n, m) => n * m, 1) }));
const byName = new Map(arrays.map((a) => [a.name, a]));

function numbersOf(a) {
  if (a.buffer === null) return null;
  buffers[a.buffer] ??= decode(trace.buffers[a.buffer]);
  return buffers[a.buffer];
}

function flatOf(a, index) {
  let flat = 0;
  for (let i = 0; i < index.length; i++) {
    if (!(index[i] >= 0 && index[i] < a.shape[i])) return -1;
    flat = flat * a.shape[i] + index[i];
  }
  return flat;
}

function indexOf(a, flat) {
  const index = [];
  for (let i = a.shape.length - 1; i >= 0; i--) {
    index.unshift(flat % a.shape[i]);
    flat = Math.floor(flat / a.shape[i]);
  }
  return index;
}

const placed = (name, index) => (index.length ? `${name}[${index.join(", ")}]` : name);

// ------------------------------------------------------------------ arithmetic: from patterns to trees with values

const FUNCTIONS = {
  exp: Math.exp, log: Math.log, log1p: Math.log1p, "√": Math.sqrt, tanh: Math.tanh, abs: Math.abs, pow: Math.pow,
  max: Math.max, min: Math.min, "σ": (x) => 1 / (1 + Math.exp(-x)),
};
const TESTS = { positive: (a) => a > 0, equal: (a, b) => a === b, above: (a, b) => a > b, negative: (a) => a < 0 };

function place(affine, variables) { // a whole number, or null where there is none
  if (typeof affine === "number") return affine;
  if (Array.isArray(affine)) {
    let sum = affine[0];
    for (const [leaf, coefficient] of affine[1]) {
      const value = typeof leaf === "number" ? variables[leaf] : leafValue(leaf, variables);
      if (value === null) return null;
      sum += coefficient * value;
    }
    sum /= affine[2];
    return Number.isInteger(sum) ? sum : null;
  }
  return leafValue(affine, variables);
}

function leafValue(leaf, variables) {
  if ("of" in leaf) return tree(leaf.of, variables)?.value ?? null;
  const inner = place("div" in leaf ? leaf.div : leaf.mod, variables);
  if (inner === null) return null;
  const whole = Math.floor(inner / leaf.by);
  return "div" in leaf ? whole : inner - whole * leaf.by;
}

function summed(parts) { // Neumaier: as good as exact
  let sum = 0, lost = 0;
  for (const { value } of parts) {
    const t = sum + value;
    if (Number.isFinite(t)) lost += Math.abs(sum) >= Math.abs(value) ? sum - t + value : value - t + sum;
    sum = t;
  }
  return sum + lost;
}

function tree(node, variables) { // null where an index is outside of its array
  const [kind, ...rest] = node;
  if (kind === "at") {
    const [which, letter, affines] = rest;
    const a = typeof which === "number" ? arrays[which] : byName.get(which);
    const index = affines.map((affine) => place(affine, variables));
    const flat = index.includes(null) ? -1 : flatOf(a, index);
    if (flat < 0) return null;
    const numbers = numbersOf(a);
    return { kind, array: a, index, flat, letter, value: numbers ? numbers[flat] : NaN };
  }
  if (kind === "const") return { kind, value: Number(rest[0]), symbol: rest[1] };
  if (kind === "index") return { kind: "const", value: place(rest[0], variables), symbol: "" };
  if (kind === "sum" || kind === "max") {
    const [sizes, inner] = rest;
    const parts = [], count = sizes.reduce((n, m) => n * m, 1), first = variables.length;
    const all = [...variables, ...sizes.map(() => 0)];
    for (let i = 0; i < count; i++) {
      for (let k = sizes.length - 1, left = i; k >= 0; k--) {
        all[first + k] = left % sizes[k];
        left = Math.floor(left / sizes[k]);
      }
      const part = tree(inner, all);
      if (part !== null) parts.push(part);
    }
    if (parts.length === 1) return parts[0];
    if (kind === "max") return { kind: "fn", name: "max", parts, value: Math.max(...parts.map((p) => p.value)) };
    return parts.length ? { kind: "+", parts, value: summed(parts) } : { kind: "const", value: 0, symbol: "" };
  }
  if (kind === "given") {
    const [test, symbol, ...nodes] = rest;
    const parts = nodes.map((n) => tree(n, variables));
    if (parts.includes(null)) return null;
    return { kind, symbol, parts, value: TESTS[test](...parts.map((p) => p.value)) ? 1 : 0 };
  }
  if (kind === "value") { // of a function of the layer, shipped with its operands
    const parts = rest[2].map((n) => tree(n, variables));
    return { kind: "given", value: Number(rest[0]), symbol: rest[1], parts };
  }
  const nodes = kind === "fn" ? rest.slice(1) : rest;
  const parts = nodes.map((n) => tree(n, variables));
  if (parts.includes(null)) return null;
  if (kind === "+") { // the terms of a leading Σ stay terms
    const all = nodes[0][0] === "sum" && parts[0].kind === "+" ? [...parts[0].parts, ...parts.slice(1)] : parts;
    return { kind, parts: all, value: summed(all) };
  }
  if (kind === "*") return { kind, parts, value: parts.reduce((v, p) => v * p.value, 1) };
  if (kind === "/") return { kind, parts, value: parts[0].value / parts[1].value };
  return { kind: "fn", name: rest[0], parts, value: FUNCTIONS[rest[0]](...parts.map((p) => p.value)) };
}

function explained(a, flat) { // {symbols, note, tree}, or null
  const index = indexOf(a, flat);
  const fill = (text) => say(text ?? "").replace(/⟦(.*?)⟧/g, (_, symbol) => place(JSON.parse(symbol), index));
  if (a.pattern) {
    const found = tree(a.pattern.tree, index);
    if (found === null) return null;
    return { symbols: fill(a.pattern.symbols), note: fill(a.pattern.note), tree: found };
  }
  const cell = a.cells?.[flat];
  return cell ? { symbols: say(cell[0]), note: say(cell[1]), tree: tree(cell[2], index) } : null;
}

function operands(t, found = new Map(), weight = null) { // every place that took part, with the size of its term
  if (t.kind === "at") {
    const key = `${t.array.number}:${t.flat}`, size = Math.abs(weight ?? t.value), before = found.get(key);
    if (!before || before.size < size) found.set(key, { ...t, size });
  } else if (t.parts) {
    for (const part of t.parts) operands(part, found, t.kind === "+" ? Math.abs(part.value) : weight ?? Math.abs(t.value));
  }
  return found;
}

function terms(t) { // the terms of the sum that is the heart of it
  if (t.kind === "+") return t.parts;
  const inner = (t.parts ?? []).find((p) => p.kind === "+" && p.parts.length > 2);
  return inner ? inner.parts : [];
}

// ------------------------------------------------------------------ arithmetic: writing

function number(v, digits = 4) {
  if (Number.isNaN(v)) return "nan";
  if (!Number.isFinite(v)) return v > 0 ? "inf" : "−inf";
  if (v === 0) return Object.is(v, -0) ? "−0" : "0";
  const [mantissa, exponent] = v.toExponential(digits - 1).split("e");
  const bare = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  const e = Number(exponent);
  const small = e < -4 || e >= digits;
  const text = small
    ? `${bare(mantissa)}e${e < 0 ? "-" : "+"}${String(Math.abs(e)).padStart(2, "0")}`
    : bare(v.toFixed(Math.max(0, digits - 1 - e)));
  return text.replaceAll("-", "−");
}

function text(t, shown = 4) {
  if (t.kind === "at" || t.kind === "const" || t.kind === "given") return number(t.value);
  if (t.kind === "+") return sumText(t, shown);
  if (t.kind === "*") {
    let parts = t.parts, sign = "";
    if (parts[0].kind === "const" && parts[0].value === -1 && parts.length > 1) [parts, sign] = [parts.slice(1), "−"];
    let body;
    if (parts.length === 2 && same(parts[0], parts[1])) {
      const base = bracketed(parts[0], shown, ["+", "*", "/"]);
      body = base.startsWith("−") ? `(${base})²` : `${base}²`;
    } else body = parts.map((p) => bracketed(p, shown, ["+"])).join("·");
    return sign && body.startsWith("−") ? body.slice(1) : sign + body;
  }
  if (t.kind === "/") return `${bracketed(t.parts[0], shown, ["+"])}/${bracketed(t.parts[1], shown, ["+", "*", "/"])}`;
  return `${t.name}(${t.parts.map((p) => text(p, shown)).join(", ")})`;
}

function same(a, b) {
  if (a.kind !== b.kind || a.value !== b.value) return false;
  if (a.kind === "at") return a.array === b.array && a.flat === b.flat;
  return (a.parts ?? []).length === (b.parts ?? []).length && (a.parts ?? []).every((p, i) => same(p, b.parts[i]));
}

function bracketed(t, shown, kinds) {
  const body = text(t, shown);
  return kinds.includes(t.kind) || (t.kind === "*" && body.startsWith("−")) ? `(${body})` : body;
}

function sumText(t, shown) {
  let parts = t.parts, rest = "";
  if (parts.length > shown + 2) {
    const order = parts.map((_, i) => i).sort((i, j) => Math.abs(parts[j].value) - Math.abs(parts[i].value) || i - j);
    const others = summed(order.slice(shown).map((i) => t.parts[i]));
    rest = ` + ${say(trace.labels["more terms"]).replace("{0}", parts.length - shown).replace("{1}", number(others))}`;
    parts = order.slice(0, shown).sort((i, j) => i - j).map((i) => t.parts[i]);
  }
  let body = "";
  for (const part of parts) {
    let piece = text(part, shown);
    if (part.kind === "+") piece = `(${piece})`;
    body = !body ? piece : piece.startsWith("−") ? `${body} − ${piece.slice(1)}` : `${body} + ${piece}`;
  }
  return body + rest;
}

// ------------------------------------------------------------------ colours

let colours = {};

function readColours() {
  const style = getComputedStyle(document.documentElement);
  const rgb = (name) => style.getPropertyValue(name).split(",").map(Number);
  colours = { plus: rgb("--plus"), minus: rgb("--minus"), zero: rgb("--zero"), mark: style.getPropertyValue("--mark") };
}

function colour(v, limit) {
  if (!Number.isFinite(v)) return [255, 0, 200];
  const t = Math.min(1, Math.abs(v) / limit || 0), end = v < 0 ? colours.minus : colours.plus;
  return colours.zero.map((z, i) => z + (end[i] - z) * t);
}

function limitOf(a) {
  const d = a.digest;
  return Math.max(Math.abs(d.least) || 0, Math.abs(d.largest) || 0) || 1;
}

// ------------------------------------------------------------------ maps: where the cells of an array stand

function layout(a, thumbnail = false) {
  let shape = a.shape, first = 0, wrap = 0;
  if (a.batch && shape.length > 2) {
    first = Math.min(state.sample, shape[0] - 1) * (a.size / shape[0]);
    shape = shape.slice(1);
  } else if (a.batch && shape.length === 2 && (thumbnail || shape[0] === 1 || shape[0] > BATCH_ROWS)) {
    first = Math.min(state.sample, shape[0] - 1) * shape[1];
    shape = shape.slice(1);
  }
  if (shape.length === 0) shape = [1];
  if (shape.length === 1) {
    wrap = shape[0];
    const across = wrap <= 20 ? wrap : Math.min(wrap, thumbnail ? Math.ceil(Math.sqrt(wrap)) : 20);
    shape = [Math.ceil(wrap / across), across];
  }
  const rows = shape.at(-2), columns = shape.at(-1);
  const leading = shape.slice(0, -2), tiles = leading.reduce((n, m) => n * m, 1);
  let across = 1, turned = false;
  if (tiles > 1) {
    const channels = leading.at(-1), filters = tiles / channels;
    turned = channels > 1 && filters > channels; // the longer one of the two axes goes to the right
    across = channels > 1 && filters > 1 ? Math.max(channels, filters)
      : Math.min(tiles, Math.ceil(Math.sqrt((tiles * rows) / columns)) || 1);
  }
  const down = Math.ceil(tiles / across), gap = tiles > 1 ? 1 : 0;
  const width = across * (columns + gap) - gap, height = down * (rows + gap) - gap;
  const count = wrap || tiles * rows * columns;
  return {
    width, height, first, count,
    cell(x, y) { // the flat number at column x, row y of the picture; -1 beside the cells
      const i = Math.floor(x / (columns + gap)), j = Math.floor(y / (rows + gap));
      const c = x - i * (columns + gap), r = y - j * (rows + gap), tile = turned ? i * down + j : j * across + i;
      if (x < 0 || y < 0 || c >= columns || r >= rows || i >= across || tile >= tiles) return -1;
      const k = (tile * rows + r) * columns + c;
      return k < count ? first + k : -1;
    },
    where(flat) { // column and row of a number; null if it is not shown
      const k = flat - first;
      if (k < 0 || k >= count) return null;
      const tile = Math.floor(k / (rows * columns)), r = Math.floor(k / columns) % rows, c = k % columns;
      const [i, j] = turned ? [Math.floor(tile / down), tile % down] : [tile % across, Math.floor(tile / across)];
      return [i * (columns + gap) + c, j * (rows + gap) + r];
    },
  };
}

function paint(canvas, a, at, limit) {
  canvas.width = at.width;
  canvas.height = at.height;
  const context = canvas.getContext("2d"), image = context.createImageData(at.width, at.height);
  const numbers = numbersOf(a);
  for (let k = 0; k < at.count; k++) {
    const [x, y] = at.where(at.first + k), [r, g, b] = colour(numbers[at.first + k], limit), i = 4 * (y * at.width + x);
    image.data[i] = r; image.data[i + 1] = g; image.data[i + 2] = b; image.data[i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

// ------------------------------------------------------------------ the network

function drawNetwork() {
  const nodes = $("nodes");
  nodes.replaceChildren();
  trace.nodes.forEach((node, i) => {
    const item = document.createElement("li");
    item.className = "node" + (node.apart ? " apart" : "");
    const button = document.createElement("button");
    button.type = "button";
    const canvases = [["out", node.output], ["delta", node.delta]].map(([name, which]) => {
      const canvas = document.createElement("canvas");
      canvas.className = name;
      const a = which === null ? null : arrays[which];
      if (!a || !numbersOf(a) || a.size === 0) { canvas.width = canvas.height = 1; return canvas; }
      const at = layout(a, true);
      paint(canvas, a, at, limitOf(a));
      const scale = Math.min(56 / at.width, 44 / at.height, 12);
      canvas.style.width = `${Math.max(2, at.width * scale)}px`;
      canvas.style.height = `${Math.max(2, at.height * scale)}px`;
      return canvas;
    });
    const name = document.createElement("small"), kind = document.createElement("b");
    name.textContent = node.name;
    name.title = node.name;
    kind.textContent = node.kind;
    button.append(canvases[0], kind, name, canvases[1]);
    button.onclick = () => {
      const stops = node.steps, next = stops.find((s) => s > state.step);
      if (stops.length) go(stops.includes(state.step) || next === undefined ? next ?? stops[0] : next);
    };
    item.append(button);
    nodes.append(item);
  });
}

function lightNetwork() {
  const stage = trace.steps[state.step].stage;
  trace.nodes.forEach((node, i) => {
    const item = $("nodes").children[i], [forward, backward] = [node.steps[0] ?? Infinity, node.backward ?? Infinity];
    item.classList.toggle("passed", node.given || forward <= state.step);
    item.classList.toggle("reached", backward <= state.step || (node.given && (stage === "update" || state.step >= node.backward)));
    const current = node.steps.includes(state.step);
    item.classList.toggle("current", current);
    const button = item.firstElementChild;
    if (current) button.setAttribute("aria-current", "step");
    else button.removeAttribute("aria-current");
    button.setAttribute("aria-label", `${node.kind} ${node.name}`);
    if (current) {
      const nav = $("network"), left = item.offsetLeft - (nav.clientWidth - item.offsetWidth) / 2;
      nav.scrollTo({ left, behavior: "auto" });
    }
  });
  drawArcs();
}

function drawArcs() { // what does not come from the node before: residual connections, several inputs
  const svg = $("arcs"), items = $("nodes").children, step = trace.steps[state.step];
  svg.setAttribute("width", $("nodes").offsetWidth);
  svg.setAttribute("height", 30);
  svg.replaceChildren();
  for (const [from, to] of trace.arcs) {
    const a = items[from], b = items[to];
    const x1 = a.offsetLeft + a.offsetWidth / 2, x2 = b.offsetLeft + b.offsetWidth / 2, top = 20;
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", `M ${x1} ${top} C ${x1} 2, ${x2} 2, ${x2} ${top} m -4 -5 l 4 5 l 4 -5`);
    const node = trace.nodes[to];
    if (node.steps.includes(state.step)) path.setAttribute("class", step.stage === "backward" ? "backward" : "forward");
    svg.append(path);
  }
}

// ------------------------------------------------------------------ the step

const shownMaps = new Map(); // by array number: {at, scale, marks, a}

function showStep() {
  const step = trace.steps[state.step];
  $("heading").textContent = say(step.title);
  $("caption").textContent = say(step.caption);
  $("formulas").innerHTML = step.formulas.join("");
  $("counter").textContent = `${state.step + 1} / ${trace.steps.length}`;
  $("slider").value = state.step;
  $("slider").setAttribute("aria-valuetext", say(step.title));
  showCode(step.source);
  const maps = $("maps"), top = Math.max(0, ...step.maps.map((m) => (arrays[m.array].buffer === null ? 0 : limitOf(arrays[m.array]))));
  shownMaps.clear();
  maps.replaceChildren(...step.maps.map((m) => figure(m, top)));
  lightNetwork();
  showNumber();
}

function showCode(source) {
  $("code").hidden = !source;
  if (!source) return;
  $("line").textContent = source.line;
  const lines = source.lines.map(([n, line, ran]) => {
    const span = document.createElement("span");
    span.textContent = `${String(n).padStart(4)} ${line}`;
    if (ran) span.className = "ran";
    return span;
  });
  const file = document.createElement("span");
  file.textContent = source.file;
  $("source").replaceChildren(file, ...lines);
}

function figure(map, top) {
  const a = arrays[map.array], found = document.createElement("figure");
  const caption = document.createElement("figcaption"), role = document.createElement("b"), about = document.createElement("span");
  role.textContent = [label(map.role), map.letter].filter(Boolean).join(" ");
  if (map.role.includes("δ") || map.role.includes("∂")) role.className = "role-delta";
  const name = document.createElement("code");
  name.textContent = a.name;
  about.append(name, ` ${a.shape.join("×") || "1"}`);
  caption.append(role, about);
  found.append(caption);
  if (numbersOf(a) === null || a.size === 0) {
    const why = document.createElement("p");
    why.textContent = a.size === 0 ? label("empty") : say(a.why);
    found.append(why);
    return found;
  }
  const at = layout(a), limit = state.shared ? top : limitOf(a);
  about.append(` ±${number(limit, 3)}`);
  const room = Math.min($("maps").clientWidth || 600, 520);
  const scale = Math.max(Math.min(CELL, room / at.width, 320 / at.height), Math.min(1, 900 / at.width));
  const whole = scale >= 2 ? Math.floor(scale) : scale;
  const box = document.createElement("div"), cells = document.createElement("canvas"), marks = document.createElement("canvas");
  box.className = "map";
  cells.className = "cells";
  marks.className = "marks";
  paint(cells, a, at, limit);
  const width = at.width * whole, height = at.height * whole;
  for (const c of [cells, marks]) { c.style.width = `${width}px`; c.style.height = `${height}px`; }
  const sharp = Math.min(window.devicePixelRatio || 1, 4096 / Math.max(width, height, 1));
  marks.width = Math.max(1, Math.round(width * sharp));
  marks.height = Math.max(1, Math.round(height * sharp));
  cells.tabIndex = 0;
  cells.setAttribute("role", "application");
  cells.setAttribute("aria-roledescription", label("heat map"));
  const d = a.digest;
  cells.setAttribute("aria-label", `${label(map.role)}, ${a.name}, ${a.shape.join(" × ") || 1}; ${number(d.least)} … ${number(d.largest)}; ${label("arrows")}`);
  const pick = (event) => {
    const box = cells.getBoundingClientRect();
    return at.cell(Math.floor(((event.clientX - box.left) / box.width) * at.width), Math.floor(((event.clientY - box.top) / box.height) * at.height));
  };
  cells.onpointermove = (event) => event.pointerType === "mouse" && later(() => choose(a, pick(event)));
  cells.onclick = (event) => { choose(a, pick(event)); cells.focus({ preventScroll: true }); };
  cells.onfocus = () => { if (!state.chosen || state.chosen.array !== a) choose(a, at.first); };
  cells.onkeydown = (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!move || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    let [x, y] = at.where(state.chosen?.array === a ? state.chosen.flat : at.first) ?? [0, 0];
    for (let i = 0; i < 3; i++) { // over the gap between two tiles
      x += move[0]; y += move[1];
      const flat = at.cell(x, y);
      if (flat >= 0) { choose(a, flat); return; }
    }
  };
  box.append(cells, marks);
  found.append(box);
  shownMaps.set(a.number, { a, at, scale: whole, sharp, marks, limit });
  return found;
}

let waiting = null;
function later(action) {
  if (waiting === null) setTimeout(() => { const act = waiting; waiting = null; act(); }, 12);
  waiting = action;
}

function mark() {
  const found = state.chosen && explained(state.chosen.array, state.chosen.flat);
  const used = found ? [...operands(found.tree).values()] : [];
  const most = Math.max(...used.map((o) => o.size), 0) || 1;
  for (const { a, at, scale, sharp, marks, limit } of shownMaps.values()) {
    const context = marks.getContext("2d");
    context.setTransform(sharp, 0, 0, sharp, 0, 0);
    context.clearRect(0, 0, marks.width, marks.height);
    if (scale >= 36) digits(context, a, at, scale, limit);
    const outline = (flat, width, alpha, dash) => {
      const found = at.where(flat);
      if (!found) return;
      const [x, y] = found, size = Math.max(scale, 3);
      context.globalAlpha = alpha;
      context.lineWidth = width;
      context.setLineDash(dash);
      context.strokeStyle = colours.mark;
      context.strokeRect(x * scale - (size - scale) / 2 + width / 2, y * scale - (size - scale) / 2 + width / 2, size - width, size - width);
    };
    for (const o of used) if (o.array.buffer === a.buffer) outline(o.flat, scale > 6 ? 2 : 1, 0.35 + (0.65 * o.size) / most, []);
    if (state.chosen && state.chosen.array.buffer === a.buffer) {
      const place = at.where(state.chosen.flat);
      outline(state.chosen.flat, 3, 1, []);
      if (place && scale < 8) { // too small to see: a ring around it
        context.beginPath();
        context.arc((place[0] + 0.5) * scale, (place[1] + 0.5) * scale, 9, 0, 7);
        context.stroke();
      }
    }
    context.globalAlpha = 1;
  }
}

function digits(context, a, at, scale, limit) {
  const numbers = numbersOf(a);
  context.textAlign = "center";
  context.textBaseline = "middle";
  for (let k = 0; k < at.count; k++) {
    const v = numbers[at.first + k], [x, y] = at.where(at.first + k), [r, g, b] = colour(v, limit);
    context.fillStyle = 0.3 * r + 0.59 * g + 0.11 * b > 130 ? "#111" : "#fff";
    const shown = number(v || 0, 2);
    context.font = `${shown.length > 7 ? 9 : shown.length > 6 ? 10 : 12}px system-ui, sans-serif`;
    context.fillText(shown, (x + 0.5) * scale, (y + 0.5) * scale);
  }
}

// ------------------------------------------------------------------ one number

function choose(a, flat) {
  if (flat < 0 || flat >= a.size) return;
  if (state.chosen && state.chosen.array === a && state.chosen.flat === flat) return;
  state.chosen = { array: a, flat };
  showNumber();
}

function element(tag, className, ...content) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  e.append(...content);
  return e;
}

function labelled(key, ...content) {
  return element("p", "", element("span", "label", label(key)), ...content);
}

function operandButton(o) {
  const button = element("button", "operand", placed(o.array.name, o.index));
  button.type = "button";
  button.onclick = () => follow(o.array, o.flat);
  return button;
}

function showNumber() {
  const box = $("explanation");
  if (!state.chosen) {
    box.replaceChildren(element("p", "", label("choose a cell")));
    mark();
    return;
  }
  const { array: a, flat } = state.chosen, index = indexOf(a, flat), value = numbersOf(a)[flat];
  const found = explained(a, flat);
  const close = element("button", "close", "×");
  close.type = "button";
  close.title = label("close");
  close.setAttribute("aria-label", close.title);
  close.onclick = KEYS.Escape;
  const parts = [close, element("h3", "", element("code", "", placed(a.name, index)))];
  parts.push(element("p", "value", `= ${number(value, 6)}`));
  if (found) {
    const short = text(found.tree);
    parts.push(labelled("here", found.symbols));
    const body = labelled("in numbers", `${short} = ${number(value)}`);
    body.classList.add("arithmetic");
    parts.push(body);
    if (found.note) parts.push(labelled("note", found.note));
    parts.push(actions(found));
    parts.push(termTable(found.tree));
  } else {
    parts.push(element("p", "", say(a.remark) || label("no arithmetic")));
    parts.push(actions(null));
  }
  parts.push(lens(a, flat));
  box.replaceChildren(...parts);
  $("live").textContent = `${placed(a.name, index)} = ${number(value, 6)}`;
  mark();
  remember();
}

function actions(found) {
  const box = element("div", "acts");
  const next = found && largest(found.tree);
  const walk = element("button", "", label("walk back"), " ", element("kbd", "", "w"));
  walk.type = "button";
  walk.disabled = !next;
  walk.id = "walk";
  walk.onclick = () => next && follow(next.array, next.flat);
  const undo = element("button", "", label("return"), " ", element("kbd", "", "r"));
  undo.type = "button";
  undo.disabled = !state.before.length;
  undo.onclick = goBack;
  box.append(walk, undo);
  return box;
}

function largest(t) { // the largest term with a factor that came from the loss, and that factor
  const all = [...operands(t).values()].sort((a, b) => b.size - a.size);
  return all.find((o) => o.array.flows) ?? all[0] ?? null;
}

function termTable(t) {
  const parts = terms(t);
  if (!parts.length) {
    const used = [...operands(t).values()];
    return element("div", "", ...used.map((o) => element("p", "", operandButton(o), ` = ${number(o.value)}`)));
  }
  const rows = [...parts].sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, 60).map((part) => {
    const used = [...operands(part).values()];
    const row = element("td", "");
    used.slice(0, 4).forEach((o, i) => row.append(...(i ? [" · "] : []), operandButton(o), ` ${number(o.value, 3)}`));
    return element("tr", "", row, element("td", "", number(part.value)));
  });
  const heading = label("terms").replace("{0}", parts.length);
  const details = element("details", "", element("summary", "", heading), element("table", "terms", ...rows));
  details.open = parts.length <= 8;
  if (parts.length > 60) details.append(element("p", "", label("largest terms").replace("{0}", 60)));
  return details;
}

function lens(a, flat) { // the numbers around it
  const at = layout(a), centre = at.where(flat);
  if (!centre || at.count < 2) return element("div");
  const [x0, y0] = centre, rows = [], limit = limitOf(a), numbers = numbersOf(a);
  const left = Math.max(0, Math.min(x0 - 2, at.width - 5)), top = Math.max(0, Math.min(y0 - 2, at.height - 5));
  for (let y = top; y < Math.min(top + 5, at.height); y++) {
    const row = element("tr");
    for (let x = left; x < Math.min(left + 5, at.width); x++) {
      const k = at.cell(x, y), cell = element("td", k === flat ? "here" : "", k < 0 ? "" : number(numbers[k] || 0, 3));
      if (k >= 0) {
        const [r, g, b] = colour(numbers[k], limit);
        cell.style.background = `rgb(${r | 0},${g | 0},${b | 0})`;
        cell.style.color = 0.3 * r + 0.59 * g + 0.11 * b > 130 ? "#111" : "#fff";
      }
      row.append(cell);
    }
    rows.push(row);
  }
  const table = element("table", "", element("caption", "unseen", label("around it")), ...rows);
  return element("div", "lens", element("span", "label", label("around it")), table);
}

function follow(a, flat) { // go to where that number was made
  if (state.chosen) state.before.push([state.step, state.sample, state.chosen]);
  state.chosen = { array: a, flat };
  if (a.batch) state.sample = Math.floor(flat / (a.size / a.shape[0]));
  $("sample").value = state.sample;
  const here = trace.steps[state.step].maps.some((m) => arrays[m.array].number === a.number && m.made);
  if (here || a.made === null || a.made === state.step) showStep();
  else go(a.made, true);
}

function goBack() {
  const last = state.before.pop();
  if (!last) return;
  [state.step, state.sample, state.chosen] = last;
  showStep();
}

// ------------------------------------------------------------------ moving

function go(step, keep = false) {
  state.step = Math.max(0, Math.min(trace.steps.length - 1, step));
  if (!keep && state.chosen) {
    const shown = trace.steps[state.step].maps.map((m) => arrays[m.array]);
    if (!shown.includes(state.chosen.array)) state.chosen = null;
  }
  showStep();
  $("live").textContent = say(trace.steps[state.step].title);
  remember();
}

function play() {
  if (playing !== null) { clearInterval(playing); playing = null; }
  else {
    if (state.step === trace.steps.length - 1) go(0);
    playing = setInterval(() => (state.step < trace.steps.length - 1 ? go(state.step + 1) : play()), 1400);
  }
  $("play").textContent = playing === null ? "▷" : "||";
  $("play").setAttribute("aria-pressed", String(playing !== null));
}

function toStage(stage) {
  const found = trace.steps.findIndex((s) => s.stage === stage);
  if (found >= 0) go(found);
}

function nextPass(direction) { // to the layer's other pass
  const node = trace.nodes.find((n) => n.steps.includes(state.step));
  const other = node?.steps.find((s) => s !== state.step);
  if (other !== undefined) go(other);
}

const KEYS = {
  ArrowRight: () => go(state.step + 1), n: () => go(state.step + 1), ArrowLeft: () => go(state.step - 1), b: () => go(state.step - 1),
  Home: () => go(0), End: () => go(trace.steps.length - 1), p: play, f: () => toStage("forward"), l: () => toStage("loss"),
  d: () => toStage("backward"), u: () => toStage("update"), o: nextPass, w: () => $("walk")?.click(), r: goBack,
  c: () => setLanguage(state.language === "en" ? "zh" : "en"), t: () => $("theme").click(), "?": () => $("help").click(),
  Escape: () => { state.chosen = null; showNumber(); },
};

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || /^(INPUT|TEXTAREA)$/.test(event.target.tagName)) return;
  const action = KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

// ------------------------------------------------------------------ settings

function setLanguage(language) {
  state.language = language;
  document.documentElement.lang = language;
  $("language").textContent = language === "en" ? "中文" : "English";
  $("language").lang = language === "en" ? "zh" : "en";
  for (const e of document.querySelectorAll("[data-label]")) e.textContent = label(e.dataset.label);
  for (const e of document.querySelectorAll("[data-title]")) { e.title = label(e.dataset.title); e.setAttribute("aria-label", e.title); }
  for (const e of document.querySelectorAll("[data-aria]")) e.setAttribute("aria-label", label(e.dataset.aria));
  $("title").textContent = say(trace.title);
  $("subtitle").textContent = label("subtitle");
  const list = element("dl", "", ...trace.keys.flatMap(([keys, meaning]) => [
    element("dt", "", ...keys.flatMap((k, i) => [...(i ? [" "] : []), element("kbd", "", k)])), element("dd", "", say(meaning)),
  ]));
  $("keys").replaceChildren(list);
  showStep();
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  readColours();
  const context = document.querySelector("#legend canvas").getContext("2d");
  for (let x = 0; x < 201; x++) {
    context.fillStyle = `rgb(${colour((x - 100) / 100, 1).map(Math.round)})`;
    context.fillRect(x, 0, 1, 1);
  }
  drawNetwork();
}

function remember() { // the address says where one is, so that it can be sent
  const where = new URLSearchParams({ step: state.step, lang: state.language });
  if (state.chosen) where.set("cell", `${state.chosen.array.name}:${state.chosen.flat}`);
  try { history.replaceState(null, "", `#${where}`); } catch { /* a frame without an address */ }
}

function recall() {
  const where = new URLSearchParams(location.hash.slice(1));
  const step = Number(where.get("step") ?? 0), language = where.get("lang");
  state.step = Number.isInteger(step) && step >= 0 && step < trace.steps.length ? step : 0;
  const [, name, flat] = (where.get("cell") ?? "").match(/^(.*):(\d+)$/) ?? [];
  const a = byName.get(name);
  state.chosen = a && numbersOf(a) && Number(flat) < a.size ? { array: a, flat: Number(flat) } : null;
  const preferred = (navigator.language ?? "en").startsWith("zh") ? "zh" : "en";
  state.language = ["en", "zh"].includes(language) ? language : preferred;
  const theme = where.get("theme");
  return ["dark", "light"].includes(theme) ? theme : matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function start() {
  $("first").onclick = () => go(0);
  $("back").onclick = () => go(state.step - 1);
  $("next").onclick = () => go(state.step + 1);
  $("last").onclick = () => go(trace.steps.length - 1);
  $("play").onclick = play;
  $("slider").max = trace.steps.length - 1;
  $("slider").oninput = () => go(Number($("slider").value));
  $("sample").max = trace.batch - 1;
  $("sample-box").hidden = trace.batch < 2;
  $("sample").oninput = () => {
    state.sample = Math.max(0, Math.min(trace.batch - 1, Number($("sample").value) || 0));
    drawNetwork();
    showStep();
  };
  $("shared").onchange = () => { state.shared = $("shared").checked; showStep(); };
  $("language").onclick = () => { setLanguage(state.language === "en" ? "zh" : "en"); remember(); };
  $("theme").onclick = () => { setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"); showStep(); };
  $("help").onclick = () => { $("keys").hidden = !$("keys").hidden; $("help").setAttribute("aria-expanded", String(!$("keys").hidden)); };
  window.addEventListener("hashchange", () => { setTheme(recall()); setLanguage(state.language); });
  let width = innerWidth;
  window.addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; showStep(); } });
  setTheme(recall());
  setLanguage(state.language);
}

start();
window.numnet = { trace, arrays, byName, state, explained, operands, text, number, numbersOf, indexOf, flatOf, go, choose, follow };
})();
