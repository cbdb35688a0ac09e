import { chatDbReadable } from '../ops/doctor/chatDbReadable.ts';
import { chatDbSchema } from '../ops/doctor/chatDbSchema.ts';
import { examine, type Report } from '../ops/doctor/examine.ts';
import type { CommonOptions, Io } from './Io.ts';
import { openConfig } from './openConfig.ts';

/** As `status` and the usual health checks have it: a warning is no reason to stop anything. */
const DOCTOR_EXIT = { pass: 0, warn: 1, fail: 2 } as const;

/** `edge-agent doctor`: looks at what the agent needs of this Mac, whether it runs or not. */
export async function doctor(options: CommonOptions, io: Io): Promise<number> {
  const { config } = openConfig(options, io);
  const path = config.imessage.db_path;
  const report = await examine([chatDbReadable(path), chatDbSchema(path)]);
  io.out(options.json ? `${JSON.stringify(report, nullAsFix)}\n` : rendered(report));
  return DOCTOR_EXIT[report.status];
}

/** JSON leaves undefined fields out; `fix` is always there. */
function nullAsFix(key: string, value: unknown): unknown {
  return key === 'fix' && value === undefined ? null : value;
}

function rendered({ checks }: Report): string {
  return checks
    .map(({ name, status, text, fix }) => `${status.padEnd(4)}  ${name}: ${text}\n${fix ? `      ${fix}\n` : ''}`)
    .join('');
}
