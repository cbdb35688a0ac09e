import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files of more than half a minute: begun late, one of them runs on while the other workers have nothing left. */
const LONGEST = [
  'packaging/serviceInstall',
  'faults/W12-',
  'chatdb/ChatDb.damaged',
  'faults/O08-',
  'page/page',
  'faults/C09-',
  'reflex/reflexInterleavings',
  'faults/H01-',
  'e2e/everyKind',
  'faults/A03-',
  'e2e/receipts',
  'faults/S06-',
];
/** Half of the time of all is that of the faults. They are over before the rooms: what comes last shall be short. */
const ROOMS_FOR_A_FAULT = 2;

/**
 * Begins the longest files first, then takes files of the rooms and of the faults by turns: those compute and these wait,
 * so that together they keep the processors busy, which either alone does not.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = (file: TestSpecification) => {
      const name = relative(`${this.ctx.config.root}/test`, file.moduleId);
      const index = LONGEST.findIndex((begin) => name.startsWith(begin));
      return index < 0 ? LONGEST.length : index;
    };
    const longest = sorted.filter((file) => rank(file) < LONGEST.length).sort((a, b) => rank(a) - rank(b));
    const rest = sorted.filter((file) => rank(file) === LONGEST.length);
    const faults = rest.filter(({ project }) => project.name === 'faults');
    const rooms = rest.filter(({ project }) => project.name !== 'faults');
    const mixed = faults.flatMap((fault) => [fault, ...rooms.splice(0, ROOMS_FOR_A_FAULT)]);
    return [...longest, ...mixed, ...rooms];
  }
}
