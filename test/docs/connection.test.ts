import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { Metrics } from '../../src/ops/metrics.ts';
import { prometheusText } from '../../src/ops/prometheus.ts';
import { WEBSOCKET_STATES } from '../../src/ops/websocketStatus.ts';
import { agentStatus } from '../support/agentStatus.ts';

const page = readFileSync(join(resolve(import.meta.dirname, '../..'), 'docs/CONNECTION.md'), 'utf8');
const { body } = await prometheusText(new Metrics(), agentStatus());
const types = new Map(
  [...String(body).matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!] as const),
);
const documented = new Map(
  [...page.matchAll(/^\| `(edge_agent_\w+)(?:\{\w+\})?` \| (\w+) \|/gm)].map(
    ([, name, type]) => [name!, type!] as const,
  ),
);

it('docs/CONNECTION.md gives each metric the type it has', () => {
  expect(documented.size).toBeGreaterThan(10);
  for (const [name, type] of documented) expect([name, types.get(name)]).toEqual([name, type]);
});

it('docs/CONNECTION.md has every metric of the WebSocket', () => {
  const ofSocket = [...types.keys()].filter((name) => name.includes('websocket'));
  expect([...documented.keys()].filter((name) => name.includes('websocket')).toSorted()).toEqual(ofSocket.toSorted());
});

it('docs/CONNECTION.md has every field of the socket’s status, and every state', () => {
  for (const field of Object.keys(agentStatus().websocket)) expect(page).toContain(`| \`${field}\` |`);
  for (const state of WEBSOCKET_STATES) expect(page).toContain(`\`${state}\``);
});
