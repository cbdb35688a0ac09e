import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { healthRoutes } from '../../src/ops/healthRoutes.ts';
import { Metrics } from '../../src/ops/metrics.ts';
import { prometheusText } from '../../src/ops/prometheus.ts';
import { conditionStatus } from '../../src/ops/status.ts';
import { CONDITIONS, conditionOf } from '../../src/util/conditions.ts';
import { conditionName, type ErrorCode } from '../../src/util/errors.ts';
import { agentStatus } from '../support/agentStatus.ts';

const page = readFileSync(join(resolve(import.meta.dirname, '../..'), 'docs/HEALTH.md'), 'utf8');

describe('docs/HEALTH.md', () => {
  it('has the table of conditions as it is, in its order', () => {
    const rows = page.match(/^\| `[a-z-]+` \| [^|]+ \| (critical|warning) \|.*$/gm);
    const wanted = (Object.keys(CONDITIONS) as ErrorCode[]).map((code) => {
      const { title, severity, dependsOn, visibleAfterSeconds } = conditionOf(code);
      const after = visibleAfterSeconds === 0 ? 'at once' : `${visibleAfterSeconds} s`;
      const causes = dependsOn.map((cause) => `\`${conditionName(cause)}\``).join(' ');
      return `| \`${conditionName(code)}\` | ${title} | ${severity} | ${after} | ${causes} |`;
    });
    expect(rows).toEqual(wanted);
  });

  it('explains every field of a condition', () => {
    const fields = Object.keys(conditionStatus({ code: 'EDGE_BACKEND_AUTH', detail: '', since: 0 }));
    for (const field of fields) expect(page).toMatch(new RegExp(`^\\|.*\`${field}\`.*\\|`, 'm'));
  });

  it('has every endpoint and no other', () => {
    const shown = [...page.matchAll(/^\| `(GET \/\w+)` \|/gm)].map(([, route]) => route);
    expect(shown.toSorted()).toEqual(
      Object.keys(healthRoutes({ metrics: new Metrics(), status: agentStatus })).toSorted(),
    );
  });

  it('has every metric that is not of the WebSocket, with its type and words', async () => {
    const text = String((await prometheusText(new Metrics(), agentStatus())).body);
    const help = new Map([...text.matchAll(/^# HELP (\S+) (.*)$/gm)].map(([, name, words]) => [name, words]));
    const wanted = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)]
      .filter(([, name]) => !name!.includes('websocket'))
      .map(([, name, type]) => `${name} ${type} ${help.get(name)}`);
    const shown = [...page.matchAll(/^\| `(edge_agent_\w+)(?:\{[\w,]+\})?` \| (\w+) \| (.*) \|$/gm)].map(
      ([, name, type, words]) => `${name} ${type} ${words}`,
    );
    expect(shown.toSorted()).toEqual(wanted.toSorted());
  });
});
