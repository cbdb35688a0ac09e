import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MonitoringServer } from '../../src/ops/MonitoringServer.ts';
import { Metrics } from '../../src/ops/metrics.ts';
import type { AgentStatus } from '../../src/ops/status.ts';
import { agentStatus } from '../support/agentStatus.ts';

async function monitor(metrics: Metrics, status: () => AgentStatus) {
  const server = new MonitoringServer({ port: 0, metrics, status });
  await server.start();
  onTestFinished(() => server.stop());
  return (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${server.port}${path}`, init);
}

describe('the monitoring port', () => {
  it('says whether the agent does its whole job', async () => {
    let status = agentStatus();
    const get = await monitor(new Metrics(), () => status);
    expect((await get('/health')).status).toBe(200);
    status = agentStatus({
      conditions: [
        {
          code: 'EDGE_BACKEND_AUTH',
          name: 'backend-auth',
          since: '2026-01-01T00:00:00.000Z',
          detail: 'canary',
          means: 'm',
          fix: 'f',
        },
      ],
    });
    const answer = await get('/health');
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({
      healthy: false,
      conditions: [{ code: 'EDGE_BACKEND_AUTH', name: 'backend-auth', since: '2026-01-01T00:00:00.000Z', fix: 'f' }],
    });
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
    const server = new MonitoringServer({ port: 0, metrics: new Metrics(), status: agentStatus });
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
    const server = new MonitoringServer({ port, metrics: new Metrics(), status: agentStatus });
    await expect(server.start()).rejects.toMatchObject({ code: 'EDGE_MONITORING_PORT' });
  });
});
