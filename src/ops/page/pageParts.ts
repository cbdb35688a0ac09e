import type { StateStore } from '../../state/StateStore.ts';
import type { Clock } from '../../util/Clock.ts';
import type { Routes } from '../routes.ts';
import type { AgentStatus } from '../status.ts';
import { newSecret, PageAccess } from './PageAccess.ts';
import { PageFeed, type PageFeedOptions } from './PageFeed.ts';
import { PageView } from './PageView.ts';
import { dealings, pageRoutes } from './pageRoutes.ts';

export interface PageOptions extends Pick<PageFeedOptions, 'logFile' | 'watchLog'> {
  readonly port: number;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly status: () => AgentStatus;
  /** What the page may do, as the control socket does it. */
  readonly control: Routes;
}

/** The status page on the loopback port: its routes, and the links that let somebody in. */
export function pageParts({ port, store, clock, status, control, logFile, watchLog }: PageOptions) {
  const access = new PageAccess({ clock, port, folder: port > 0 ? folderOf(store) : 'off' });
  const view = new PageView({ store, clock, status, can: dealings(control) });
  const state = () => view.state();
  const feed = new PageFeed({ clock, state, logFile, watchLog });
  return {
    routes: pageRoutes({ access, feed, state, control }),
    link: () => `http://127.0.0.1:${port}/open?token=${access.newToken()}`,
  };
}

/** The same after each start, so that pages which are open go on; 256 bits. */
function folderOf({ meta }: StateStore): string {
  const known = meta.get('page_folder');
  if (known !== undefined) return known;
  const folder = newSecret();
  try {
    meta.set('page_folder', folder);
  } catch {
    // A disk that is full is told by who has to write. This start has a folder; the next has another.
  }
  return folder;
}
