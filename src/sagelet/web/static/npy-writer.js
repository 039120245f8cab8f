// @ts-check
// NumPy's array files (NEP 1), written from rows of typed numbers, as the server writes them.

import { Unfit } from "./body-tokens.js";

const ALIGNMENT = 64;
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0];
/** @type {Record<string, [number, (view: DataView, at: number, text: string) => void]>} */
const WRITERS = {
  "<f4": [4, (view, at, text) => view.setFloat32(at, Number(text), true)],
  "<f8": [8, (view, at, text) => view.setFloat64(at, Number(text), true)],
  "<i1": [1, (view, at, text) => view.setInt8(at, whole(text, -128n, 127n))],
  "|i1": [1, (view, at, text) => view.setInt8(at, whole(text, -128n, 127n))],
  "|u1": [1, (view, at, text) => view.setUint8(at, whole(text, 0n, 255n))],
  "<i2": [2, (view, at, text) => view.setInt16(at, whole(text, -32768n, 32767n), true)],
  "<u2": [2, (view, at, text) => view.setUint16(at, whole(text, 0n, 65535n), true)],
  "<i4": [4, (view, at, text) => view.setInt32(at, whole(text, -(2n ** 31n), 2n ** 31n - 1n), true)],
  "<u4": [4, (view, at, text) => view.setUint32(at, whole(text, 0n, 2n ** 32n - 1n), true)],
  "<i8": [8, (view, at, text) => view.setBigInt64(at, integer(text, -(2n ** 63n), 2n ** 63n - 1n), true)],
  "<u8": [8, (view, at, text) => view.setBigUint64(at, integer(text, 0n, 2n ** 64n - 1n), true)],
};

/**
 * Return the file of an array of two dimensions, or of one.
 * @param {string[][]} rows @param {string} dtype @param {boolean} isFlat
 */
export function npy(rows, dtype, isFlat) {
  const writer = WRITERS[dtype];
  const width = rows[0]?.length ?? 0;
  if (!writer || !width) throw new Unfit("there are no numbers");
  const [size, write] = writer;
  const shape = isFlat ? `(${width},)` : `(${rows.length}, ${width})`;
  const header = `{'descr': '${dtype}', 'fortran_order': False, 'shape': ${shape}, }`;
  const unpadded = MAGIC.length + 2 + header.length + 1;
  const text = `${header}${" ".repeat((ALIGNMENT - (unpadded % ALIGNMENT)) % ALIGNMENT)}\n`;
  const cells = rows.flat();
  const begin = MAGIC.length + 2 + text.length;
  const bytes = new Uint8Array(begin + cells.length * size);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint16(MAGIC.length, text.length, true);
  bytes.set(new TextEncoder().encode(text), MAGIC.length + 2);
  cells.forEach((cell, at) => write(view, begin + at * size, cell));
  return bytes;
}

/** @param {string} text @param {bigint} least @param {bigint} most */
function whole(text, least, most) {
  return Number(integer(text, least, most));
}

/** @param {string} text @param {bigint} least @param {bigint} most */
function integer(text, least, most) {
  if (!/^-?[0-9]+$/.test(text)) throw new Unfit(`'${text}' is not a whole number, as the array's are`);
  const value = BigInt(text);
  if (value < least || value > most) throw new Unfit(`'${text}' does not fit the array's numbers`);
  return value;
}
