import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Metrics } from '../../src/ops/metrics.ts';
import { prometheusText } from '../../src/ops/prometheus.ts';
import { agentStatus } from '../support/agentStatus.ts';

const folder = join(resolve(import.meta.dirname, '../..'), 'docs/grafana');

interface Panel {
  id: number;
  title: string;
  type: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string; legendFormat: string }[];
}
interface Rule {
  alert: string;
  expr: string;
  labels: { severity: string };
  annotations: { summary: string; description: string };
}

const board = JSON.parse(readFileSync(join(folder, 'edge-agent.json'), 'utf8')) as {
  title: string;
  uid: string;
  panels: Panel[];
  templating: { list: { name: string; type: string; definition?: string }[] };
};
const rules = (
  parse(readFileSync(join(folder, 'alerts.yaml'), 'utf8')) as { groups: { rules: Rule[] }[] }
).groups.flatMap((group) => group.rules);
const expressions = board.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

const text = String((await prometheusText(new Metrics(), agentStatus())).body);
const metrics = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name!);
/** Label names by metric, of those that have any here or get some when they count. */
const labels: Record<string, readonly string[]> = {
  edge_agent_info: ['agent_id', 'version', 'instance'],
  edge_agent_condition: ['code', 'severity'],
  edge_agent_queue_rows: ['queue'],
  edge_agent_websocket_dials_total: ['result'],
};

/** Metrics that are for a closer look, not for the board. */
const NOT_SHOWN: Record<string, string> = {
  edge_agent_letters_dropped_total: 'what a person did, who knows it',
  edge_agent_chatdb_cursor_rowid: 'a position, which says something beside chat.db alone',
  edge_agent_websocket_state: 'websocket_up and failures say what matters of it',
  edge_agent_reflexes_matched_total: 'of interest to who writes reflexes',
};

const namesIn = (expr: string) => new Set(expr.match(/\bedge_agent_\w+/g));

describe('the board for Grafana', () => {
  it('shows no metric that there is not', () => {
    const used = new Set(expressions.flatMap((expr) => [...namesIn(expr)]));
    expect([...used].filter((name) => !metrics.includes(name))).toEqual([]);
  });

  it('shows every metric but those for a closer look', () => {
    const used = new Set(expressions.flatMap((expr) => [...namesIn(expr)]));
    expect(metrics.filter((name) => !used.has(name)).toSorted()).toEqual(Object.keys(NOT_SHOWN).toSorted());
  });

  it('has variables for the data source, the agent and the instance, and each panel obeys them', () => {
    expect(board.templating.list.map(({ name, type }) => [name, type])).toEqual([
      ['datasource', 'datasource'],
      ['agent_id', 'query'],
      ['instance', 'query'],
    ]);
    for (const { definition } of board.templating.list.slice(1)) expect(definition).toContain('edge_agent_info');
    for (const expr of expressions) {
      expect(expr).toContain('edge_agent_info{agent_id=~"$agent_id", instance=~"$instance"}');
    }
    expect(JSON.stringify(board)).not.toMatch(/"uid":"(?!\$\{datasource\}|edge-agent")/);
  });

  it('lays its panels side by side, none over another, each with an id of its own', () => {
    const shown = board.panels.filter(({ type }) => type !== 'row');
    expect(new Set(board.panels.map(({ id }) => id)).size).toBe(board.panels.length);
    const overlaps = shown.flatMap((a, index) =>
      shown.slice(index + 1).filter(({ gridPos: b }) => {
        const { x, y, w, h } = a.gridPos;
        return x < b.x + b.w && b.x < x + w && y < b.y + b.h && b.y < y + h;
      }),
    );
    expect(overlaps.map(({ title }) => title)).toEqual([]);
    for (const { gridPos, targets } of shown) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      expect(targets?.length).toBeGreaterThan(0);
    }
  });
});

describe('the alert rules', () => {
  it.each(rules.map((rule) => [rule.alert, rule] as const))(
    '%s looks at what there is, and says what to do',
    (name, rule) => {
      expect(name).toMatch(/^EdgeAgent[A-Z][A-Za-z]+$/);
      expect([...namesIn(rule.expr)].filter((metric) => !metrics.includes(metric))).toEqual([]);
      expect(rule.expr).toMatch(/edge_agent_|\bup\{/);
      expect(['critical', 'warning']).toContain(rule.labels.severity);
      expect(rule.annotations.summary).toMatch(/\$labels\.instance/);
      expect(rule.annotations.description).toMatch(/\.$/);
    },
  );

  it('have names of their own', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  });
});

describe('every expression', () => {
  it.each([...new Set([...expressions, ...rules.map(({ expr }) => expr)])])('%s is whole', (expr) => {
    for (const [open, close] of ['()', '{}', '[]'] as const) {
      expect(expr.split(open!).length).toBe(expr.split(close!).length);
    }
    for (const [, metric, selector] of expr.matchAll(/\b(edge_agent_\w+)\{([^}]*)\}/g)) {
      for (const [, label] of selector!.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)) expect(labels[metric!]).toContain(label);
    }
    const queues = Object.keys(agentStatus().queues);
    for (const [, list] of expr.matchAll(/queue(?:=~|!~|=)"([^"]*)"/g)) {
      expect(list!.split('|').filter((queue) => !queues.includes(queue))).toEqual([]);
    }
    for (const [, counter] of expr.matchAll(/(?:rate|increase)\((edge_agent_\w+)/g)) expect(counter).toMatch(/_total$/);
  });
});
