import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { diagnose } from '../backend/diagnosis/diagnose.ts';
import type { StepResult } from '../backend/diagnosis/Step.ts';
import { Network } from '../backend/network/Network.ts';
import { linkSettings } from '../config/linkSettings.ts';
import type { Config } from '../config/schema.ts';
import { pass } from '../ops/doctor/Check.ts';
import type { NamedFinding } from '../ops/doctor/examine.ts';
import { maskIn } from '../ops/mask.ts';
import { syncRequest } from '../ops/syncRequest.ts';
import type { SyncRequest } from '../protocol/wire.ts';
import { StateStore } from '../state/StateStore.ts';
import { systemClock } from '../util/Clock.ts';
import { partialTelemetry } from '../util/Telemetry.ts';
import type { Io } from './Io.ts';
import { secretSource } from './secretSource.ts';
import { askAgent } from './takeStatus.ts';

/** What was found on the way to the backend, and what it was found with. */
export interface ConnectionFindings {
  readonly agentId: string;
  readonly baseUrl: string;
  /** Without the query; undefined where websocket.enabled is false. */
  readonly websocketUrl: string | undefined;
  /** Proxy, authorities and pins in a line; undefined where there is nothing special. */
  readonly network: string | undefined;
  /** Whether an agent runs on this Mac, in words. */
  readonly agent: string;
  /** When it began, ISO 8601. */
  readonly at: string;
  readonly syncBody: SyncRequest;
  readonly steps: readonly StepResult[];
}

/** Walks the way to the backend as the agent does, whether it runs or not. */
export async function examineConnection(config: Config, io: Io): Promise<ConnectionFindings> {
  const at = new Date(systemClock.now()).toISOString();
  const secrets = secretSource(config, io);
  const [running] = await Promise.all([askAgent(config), secrets.load()]);
  const { agentId, baseUrl, isSocketEnabled, ...settings } = linkSettings(config);
  const websocketUrl = isSocketEnabled ? settings.websocketUrl : undefined;
  let caFileProblem: string | undefined;
  const telemetry = partialTelemetry({
    conditionRaised: (code, detail) => {
      if (code === 'EDGE_CA_FILE') caFileProblem = `${code}: ${detail}`;
    },
  });
  const network = new Network({ ...settings.network, telemetry });
  const syncBody = quietSync(config, running?.started_at ?? null);
  const steps = await diagnose({
    agentId,
    secret: secrets.known,
    secretProblem: secrets.problem,
    baseUrl,
    websocketUrl,
    network,
    clock: systemClock,
    syncBody,
    agent: running && { isSocketUp: running.websocket.up, since: running.websocket.since },
    caFileProblem: () => caFileProblem,
    mask: maskIn,
  });
  const urls = [baseUrl, ...(websocketUrl === undefined ? [] : [websocketUrl])].map((url) => new URL(url));
  return {
    agentId,
    baseUrl,
    websocketUrl,
    network: network.describe(urls),
    agent: agentText(running),
    at,
    syncBody,
    steps,
  };
}

function agentText(running: Awaited<ReturnType<typeof askAgent>>): string {
  if (!running) return 'does not run';
  return `runs, version ${running.version}, its WebSocket is ${running.websocket.up ? 'up' : 'down'}`;
}

/** What the agent would say in a sync, but for its events: those it tells itself. */
function quietSync(config: Config, startedAt: string | null): SyncRequest {
  const uptimeMs = startedAt === null ? 0 : Math.max(0, systemClock.now() - Date.parse(startedAt));
  const agent = { agentId: config.edge.agent_id, uptimeMs };
  const path = join(config.state.dir, 'state.db');
  let store: StateStore | undefined;
  try {
    if (existsSync(path)) store = StateStore.openReadOnly(path);
    if (store) return { ...syncRequest(store, agent), pending_events: [] };
  } catch {
    // `edge-agent status` says what is wrong with state.db; the way to the backend can be walked without it.
  } finally {
    store?.close();
  }
  return {
    edge_agent_id: agent.agentId,
    last_command_id: null,
    pending_events: [],
    status: { scheduled_messages: 0, active_rules: 0, uptime_seconds: Math.round(uptimeMs / 1000) },
  };
}

/** The steps as one finding: the first of the worst, and what to do about it. */
export function connectionFinding(steps: readonly StepResult[]): NamedFinding {
  const worst = steps.find(({ status }) => status === 'fail') ?? steps.find(({ status }) => status === 'warn');
  const head = { name: 'connection', ms: steps.reduce((sum, { ms }) => sum + ms, 0) };
  if (!worst) return { ...head, ...pass('every step to the backend and back went well') };
  const status = worst.status === 'fail' ? 'fail' : 'warn';
  return { ...head, status, text: `${worst.step} ${worst.target}: ${worst.text}`, fix: worst.fix };
}
