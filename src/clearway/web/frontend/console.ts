// The console's islands. Pages work without them; each takes over the element that asks for it.

import { mountAll } from "./house.ts";
import { mountLive } from "./live.ts";
import { mountTimeline } from "./timeline.ts";
import { mountInbox } from "./inbox.ts";
import { mountKeys } from "./keys.ts";

mountAll({ live: mountLive, timeline: mountTimeline, inbox: mountInbox });
mountKeys();

if (document.querySelector('[data-island="map"]')) {
  const script = document.createElement("script");
  script.type = "module";
  script.src = "/static/dist/map.js";
  document.head.append(script);
}
