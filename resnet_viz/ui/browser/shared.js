// What the scripts of this folder share; ui/component.py puts it before each of them.

const SVG = "http://www.w3.org/2000/svg";

function element(tag, attributes = {}, parent = null, text = null) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== null) node.textContent = text;
  if (parent) parent.append(node);
  return node;
}

function shape(tag, attributes, parent, text = null) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== null) node.textContent = text;
  parent.append(node);
  return node;
}

function isDark(node) {
  const [r, g, b] = (getComputedStyle(node).backgroundColor.match(/[\d.]+/g) || [255, 255, 255]).map(Number);
  return 0.3 * r + 0.59 * g + 0.11 * b < 128;
}

// bytes: uint32 length of a JSON head, the head padded to 4 bytes, then numbers from `start` on in a buffer of their own
function unpack(bytes) {
  const { buffer } = bytes.slice();          // typed arrays need alignment
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  return { head, buffer, start: 4 + Math.ceil(length / 4) * 4 };
}

// the array that {type, shape, at} of a head describes
function arrayOf({ buffer, start }, { type, shape: sides, at }) {
  const kind = { u1: Uint8Array, u2: Uint16Array, i2: Int16Array, f4: Float32Array, i4: Int32Array }[type];
  return new kind(buffer, start + at, sides.reduce((a, b) => a * b, 1));
}

// a script that travels once a page hands its function to all that wait for it (ui/component.py, Carried)
function arrived(version, mount) {
  ((globalThis.resnetViz ??= {})[version] ??= Promise.withResolvers()).resolve(mount);
}
