// The console's islands. Pages work without them; each takes over the element that asks for it.

import { mountAlarms } from "./alarms.ts";
import { mountComposer } from "./composer.ts";
import { mountAll } from "./house.ts";
import { mountInbox, mountProposal } from "./inbox.ts";
import { mountKeys } from "./keys.ts";
import { mountLive } from "./live.ts";
import { mountTimeline } from "./timeline.ts";
import { mountTour } from "./tour.ts";

// A form that came back stands on the page it was sent from; reloading must not send it again.
if (document.body.dataset.page) history.replaceState(null, "", document.body.dataset.page);
mountAll({ live: mountLive, timeline: mountTimeline, inbox: mountInbox });
mountProposal();
mountKeys();
mountAlarms();
mountComposer();
mountTour();

if (document.querySelector('[data-island="map"], [data-island="segment"]')) {
  const script = document.createElement("script");
  script.type = "module";
  script.src = "/static/dist/map.js";
  document.head.append(script);
}
