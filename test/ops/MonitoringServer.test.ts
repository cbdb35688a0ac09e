import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { healthRoutes } from '../../src/ops/healthRoutes.ts';
import { MonitoringServer } from '../../src/ops/MonitoringServer.ts';
import { Metrics } from '../../src/ops/metrics.ts';
import { type AgentStatus, conditionStatus } from '../../src/ops/status.ts';
import { CONDITIONS } from '../../src/util/conditions.ts';
import { agentStatus } from '../support/agentStatus.ts';

const routes = healthRoutes({ metrics: new Metrics(), status: agentStatus });

async function monitor(metrics: Metrics, status: () => AgentStatus) {
  const server = new MonitoringServer({ port: 0, routes: healthRoutes({ metrics, status }) });
  await server.start();
  onTestFinished(() => server.stop());
  return (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${server.port}${path}`, init);
}

const insecure = conditionStatus({ code: 'EDGE_BACKEND_INSECURE', detail: 'canary', since: 0 });
const refused = conditionStatus({ code: 'EDGE_BACKEND_AUTH', detail: 'canary', since: 0 });

describe('the monitoring port', () => {
  it('says whether the agent does its whole job, and what keeps it from that', async () => {
    let status = agentStatus();
    const get = await monitor(new Metrics(), () => status);
    const health = await get('/health');
    expect(health.status).toBe(200);
    expect(await health.json()).toEqual({ healthy: true, conditions: [], hidden_conditions: [] });
    status = agentStatus({ conditions: [refused], hidden_conditions: ['EDGE_UPLOAD_RETRIED'] });
    const answer = await get('/health');
    expect(answer.status).toBe(503);
    const body = await answer.text();
    expect(body).not.toContain('canary'); // any user of the Mac can ask
    expect(JSON.parse(body)).toMatchObject({
      healthy: false,
      conditions: [{ code: 'EDGE_BACKEND_AUTH', name: 'backend-auth', severity: 'critical', fix: refused.fix }],
      hidden_conditions: ['EDGE_UPLOAD_RETRIED'],
    });
  });

  it('lists a warning, and is healthy all the same', async () => {
    const get = await monitor(new Metrics(), () => agentStatus({ conditions: [insecure] }));
    const answer = await get('/health');
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ healthy: true, conditions: [{ severity: 'warning' }] });
  });

  it.each([
    ['the agent is starting', { phase: 'starting' }],
    ['the agent is stopping', { phase: 'stopping' }],
    ['chat.db is not open', { chatdb: { path: '/chat.db', open: false, lacks: [] } }],
    [
      'state.db cannot be written: EDGE_STATE_FULL',
      { conditions: [conditionStatus({ code: 'EDGE_STATE_FULL', detail: '', since: 0 })] },
    ],
  ] as [string, Partial<AgentStatus>][])('is not ready while %s', async (reason, changes) => {
    const get = await monitor(new Metrics(), () => agentStatus(changes));
    const answer = await get('/ready');
    expect([answer.status, await answer.json()]).toEqual([503, { ready: false, reasons: [reason] }]);
    expect((await get('/live')).status).toBe(200);
  });

  it('is ready with conditions that do not keep it from its work', async () => {
    const get = await monitor(new Metrics(), () => agentStatus({ conditions: [refused] }));
    const answer = await get('/ready');
    expect([answer.status, await answer.json()]).toEqual([200, { ready: true, reasons: [] }]);
  });

  it.each(['/health', '/live', '/ready', '/metrics'])('answers HEAD %s without a body', async (path) => {
    const get = await monitor(new Metrics(), () => agentStatus({ conditions: [refused] }));
    const head = await get(path, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([(await get(path)).status, '']);
  });

  it('gives the figures in the format of Prometheus', async () => {
    const metrics = new Metrics();
    metrics.count('messages_received', 3);
    metrics.error('EDGE_BACKEND_BUSY');
    const get = await monitor(metrics, () => agentStatus({ queues: { ...agentStatus().queues, inbound_pending: 4 } }));
    const answer = await get('/metrics');
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
    const text = await answer.text();
    expect(text).toContain('edge_agent_messages_received_total 3\n');
    expect(text).toContain('edge_agent_errors_total{code="EDGE_BACKEND_BUSY"} 1\n');
    expect(text).toContain('edge_agent_queue_rows{queue="inbound_pending"} 4\n');
    expect(await (await get('/metrics')).text()).toContain('edge_agent_messages_received_total 3\n');
  });

  it('has a figure for every condition: 1 for those that stand, 0 for all others', async () => {
    const status = () => agentStatus({ conditions: [refused], hidden_conditions: ['EDGE_UPLOAD_RETRIED'] });
    const text = await (await (await monitor(new Metrics(), status))('/metrics')).text();
    expect(text).toContain('edge_agent_condition{code="EDGE_BACKEND_AUTH",severity="critical"} 1\n');
    expect(text).toContain('edge_agent_condition{code="EDGE_UPLOAD_RETRIED",severity="warning"} 0\n');
    expect(text.match(/^edge_agent_condition\{.*\} 1$/gm)).toHaveLength(1);
    expect(text.match(/^edge_agent_condition\{/gm)).toHaveLength(Object.keys(CONDITIONS).length);
    expect(text).toContain('edge_agent_conditions_hidden 1\n');
    expect(text).toContain('edge_agent_info{agent_id="edge_15550100001",version="0.1.0"} 1\n');
  });

  it('names its figures as Prometheus wants them', async () => {
    const text = await (await (await monitor(new Metrics(), agentStatus))('/metrics')).text();
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => ({ name: name!, type: type! }));
    expect(types.length).toBeGreaterThan(50);
    const badly = types.filter(
      ({ name, type }) =>
        !/^edge_agent_[a-z]+(_[a-z]+)*$/.test(name) ||
        name.endsWith('_total') !== (type === 'counter') ||
        /milli|minutes|hours|kilobytes|_(count|sum|bucket)$/.test(name),
    );
    expect(badly).toEqual([]);
    const families = types.map(({ name }) => name.replace(/_total$/, ''));
    expect(new Set(families).size).toBe(families.length);
    for (const { name } of types) expect(text).toMatch(new RegExp(`^# HELP ${name} \\S`, 'm'));
  });

  it('gives the state of the WebSocket when it is asked, and leaves out what is not known', async () => {
    const metrics = new Metrics();
    metrics.countBy('websocket_dials', 'status_403');
    metrics.countBy('websocket_closes', '1006');
    let websocket = agentStatus().websocket;
    const get = await monitor(metrics, () => agentStatus({ websocket }));
    const live = await (await get('/metrics')).text();
    expect(live).toContain('edge_agent_websocket_dials_total{result="status_403"} 1\n');
    expect(live).toContain('edge_agent_websocket_closes_total{code="1006"} 1\n');
    expect(live).toContain('edge_agent_websocket_state{state="live"} 1\n');
    expect(live).toContain('edge_agent_websocket_state{state="waiting"} 0\n');
    expect(live).toContain('# TYPE edge_agent_websocket_round_trip_seconds gauge\n');
    expect(live).toContain('edge_agent_websocket_round_trip_seconds 0.0125\n');
    expect(live).toContain('edge_agent_websocket_last_frame_age_seconds 3\n');
    websocket = { ...websocket, state: 'waiting', round_trip_ms: null, last_frame_seconds_ago: null, failures: 2 };
    const waiting = await (await get('/metrics')).text();
    expect(waiting).toContain('edge_agent_websocket_state{state="waiting"} 1\n');
    expect(waiting).toContain('edge_agent_websocket_failures 2\n');
    expect(waiting).not.toContain('round_trip_seconds');
    expect(waiting).not.toContain('last_frame_age');
  });

  it('takes no orders', async () => {
    const get = await monitor(new Metrics(), agentStatus);
    expect((await get('/send', { method: 'POST', body: '{}' })).status).toBe(404);
    expect((await get('/health', { method: 'POST', body: '{}' })).status).toBe(404);
  });

  it.each([
    ['127.0.0.1:9464', 200],
    ['localhost', 200],
    ['evil.example.com:9464', 404],
    ['127.0.0.1.evil.example.com', 404],
  ])('answers a request for the host %s with %i', async (host, status) => {
    const server = new MonitoringServer({ port: 0, routes });
    await server.start();
    onTestFinished(() => server.stop());
    const socket = connect(server.port, '127.0.0.1');
    socket.write(`GET /health HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(`HTTP/1.1 ${status}`);
    socket.destroy();
  });

  it('says when the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    onTestFinished(() => void other.close());
    const { port } = other.address() as { port: number };
    const server = new MonitoringServer({ port, routes });
    await expect(server.start()).rejects.toMatchObject({ code: 'EDGE_MONITORING_PORT' });
  });
});
