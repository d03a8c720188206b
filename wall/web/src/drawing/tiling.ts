// How tiles fill a window. Pure.

export interface Tiling {
  columns: number;
  /** Width and height of a tile, in CSS pixels. */
  width: number;
  height: number;
}

/** Tiles are at least this wide; where that many do not fit, the page scrolls. */
export const MIN_WIDTH = 150;
/** Windows narrower than this are phones, on which people scroll: tiles are as wide as the window, or half of it. */
export const PHONE_WIDTH = 560;
const MANY_ON_A_PHONE = 6;

/** Returns the tiling of `count` tiles of the given aspect (width by height) that makes them largest in a window. */
export function tiling(count: number, width: number, height: number, gap: number, aspect = 16 / 9): Tiling {
  if (width < PHONE_WIDTH) return inColumns(count > MANY_ON_A_PHONE ? 2 : 1, width, gap, aspect);
  let best: Tiling = { columns: 1, width: 0, height: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns);
    const byWidth = (width - gap * (columns - 1)) / columns;
    const byHeight = ((height - gap * (rows - 1)) / rows) * aspect;
    const tile = Math.floor(Math.min(byWidth, byHeight));
    if (tile > best.width) best = { columns, width: tile, height: Math.floor(tile / aspect) };
  }
  const least = Math.min(MIN_WIDTH, width);
  if (best.width >= least) return best;
  return inColumns(Math.max(1, Math.floor((width + gap) / (least + gap))), width, gap, aspect);
}

function inColumns(columns: number, width: number, gap: number, aspect: number): Tiling {
  const tile = Math.floor((width - gap * (columns - 1)) / columns);
  return { columns, width: tile, height: Math.floor(tile / aspect) };
}

/** Returns the aspect that most of the sizes are near: their median; 16:9 without any. Bounded, so none gets a strip. */
export function commonAspect(sizes: readonly (readonly [number, number])[]): number {
  if (sizes.length === 0) return 16 / 9;
  const aspects = sizes.map(([width, height]) => width / height).sort((a, b) => a - b);
  return Math.min(2, Math.max(1, aspects[Math.floor(aspects.length / 2)]!));
}

/** Returns the index of the tile that an arrow key leads to from `index`. */
export function neighbour(index: number, key: string, count: number, columns: number): number {
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key] ?? 0;
  const next = key === "Home" ? 0 : key === "End" ? count - 1 : index + step;
  return next >= 0 && next < count ? next : index;
}
