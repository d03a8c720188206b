// What all views share while the page is open.

import type { Announcer } from "./ui/announce.ts";
import type { Toasts } from "./ui/toasts.ts";
import type { Feeds } from "./live/feeds.ts";
import type { Store } from "./live/store.ts";
import type { Wishes } from "./live/wishes.ts";
import type { ToServer } from "./protocol.ts";

export interface Wall {
  store: Store;
  feeds: Feeds;
  wishes: Wishes;
  toasts: Toasts;
  announcer: Announcer;
  send: (message: ToServer) => void;
}

/** One view of the page, from opening it to leaving it. */
export interface View {
  title: string;
  node: HTMLElement;
  /** Ends what runs for it. */
  end: () => void;
  /** Whether all keys belong to the view: none of the page's then leads away from half a drawing. */
  ownsKeys?: boolean;
  /** Handles a key that no field has taken; returns whether it did. */
  key?: (event: KeyboardEvent) => boolean;
}
