import { existsSync } from 'node:fs';
import type { RunProgram } from '../macos/programs.ts';
import type { NodeRuntime } from '../service/NodeRuntime.ts';
import { nodeSignature, signatureAdvice } from '../service/nodeSignature.ts';
import { type AgentView, hasMet } from './AgentView.ts';
import { type Check, fail, pass, skip, warn } from './Check.ts';

interface Binary {
  readonly runtime: NodeRuntime;
  readonly agent: Promise<AgentView>;
  /** What launchd starts the agent with; undefined where there is no LaunchAgent. */
  readonly node: string | undefined;
  readonly run: RunProgram;
}

/** Where an update of Node puts another file, or another path. */
const MOVES = /\/(Cellar|\.nvm|\.fnm|fnm_multishells|\.volta|\.asdf|mise)\//;
const GIVE_AGAIN =
  'edge-agent service install --new-node; then System Settings → Privacy & Security → Full Disk Access, and Automation: remove the entry, and add (+, Cmd-Shift-G) exactly';

/** Whether the Node that macOS gave its permissions to is still the one that runs: another file has none of them. */
export function nodeBinary({ runtime, agent, node, run }: Binary): Check {
  return {
    name: 'binary',
    async run() {
      const fix = `${GIVE_AGAIN}: ${runtime.path}`;
      const record = runtime.installed();
      if (!record) {
        if (node === undefined) return skip('the agent is not installed: no Node is kept for it');
        if (!existsSync(node)) return fail(`EDGE_NODE_CHANGED: ${node}, which the service runs, is gone`, fix);
        const text = `launchd starts the agent with ${node}, of which no private copy is kept`;
        return MOVES.test(node)
          ? warn(
              `${text}: the next update moves it, and macOS takes its permissions away`,
              'edge-agent service install',
            )
          : pass(text);
      }
      const changed = await runtime.changed();
      if (changed !== undefined && !existsSync(runtime.path)) return fail(`EDGE_NODE_CHANGED: ${changed}`, fix);
      const why = changed ?? (node === undefined ? undefined : runtime.foreign(node));
      if (why !== undefined) return warn(`EDGE_NODE_CHANGED: ${why}; its permissions may be lost`, fix);
      if (hasMet(await agent, 'EDGE_NODE_CHANGED')) {
        return warn(
          'EDGE_NODE_CHANGED: the running agent was started with another Node than the one that is kept for it',
          'edge-agent service restart',
        );
      }
      const told = signatureAdvice(await nodeSignature(runtime.path, run));
      if (told !== undefined) return warn(told, 'edge-agent service install --new-node --node /usr/local/bin/node');
      return pass(`Node ${record.node_version} at ${runtime.path} is the one that was installed`);
    },
  };
}
