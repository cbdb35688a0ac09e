import { writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { authority } from '../support/certificates.ts';
import { type ConnectProxyOptions, connectProxy } from '../support/connectProxy.ts';
import { waitFor } from '../support/waitFor.ts';
import type { FaultRun } from './harness/FaultRun.ts';
import { type FaultCase, faultTest } from './harness/faultTest.ts';

/** Known to the proxy alone. */
const HOST = 'backend.invalid';
const PASSWORD = 'a-password';

/** A case whose agent reaches the backend through a proxy only, and says its password to nobody else. */
function proxyTest(
  title: string,
  o: ConnectProxyOptions &
    Pick<FaultCase, 'startsAgent'> & {
      fault(run: FaultRun, proxy: Awaited<ReturnType<typeof connectProxy>>): Promise<void>;
    },
): void {
  let proxy: Awaited<ReturnType<typeof connectProxy>>;
  faultTest(title, {
    startsAgent: o.startsAgent ?? true,
    async rig() {
      proxy = await connectProxy(o);
      const env = { HTTPS_PROXY: proxy.url.replace('//', `//agent:${PASSWORD}@`), NO_PROXY: '' };
      return { host: HOST, tls: {}, env, config: { backend: { ca_file: 'ca.pem' } } };
    },
    setup({ rig }) {
      const own = authority();
      writeFileSync(rig.path('ca.pem'), own.cert);
      for (const cable of [rig.cable, rig.httpCable]) cable.tls = own.issue(`DNS:${HOST}`);
    },
    fault: (run) => o.fault(run, proxy),
    expect: ({ rig }) => expect(rig.agent.log).not.toContain(PASSWORD),
  });
}

proxyTest('H14 works through a proxy, socket and all', {
  async fault(run, proxy) {
    await run.both();
    await run.quiet(15_000);
    expect(new Set(proxy.connects.map(({ url }) => url)).size).toBe(2);
  },
});

for (const [status, code] of [
  [407, 'EDGE_PROXY_AUTH'],
  [403, 'EDGE_PROXY_FAILED'],
  [502, 'EDGE_PROXY_FAILED'],
] as const) {
  let refuses = true;
  proxyTest(
    `H14 says that it is the proxy that answers ${status}, keeps the secret to itself, and goes on when it lets it through`,
    {
      startsAgent: false,
      refuse(_request, socket) {
        if (refuses) socket.end(`HTTP/1.1 ${status} Told\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
        return refuses;
      },
      async fault(run, proxy) {
        const { rig, front, ledger } = run;
        await rig.startAgent({ withSocket: false });
        run.write();
        const { conditions } = await rig.agent.ready(({ conditions }) => conditions.some((one) => one.code === code));
        expect(conditions.map((one) => one.code)).not.toContain('EDGE_BACKEND_AUTH');
        expect(JSON.stringify(proxy.connects.map(({ rawHeaders }) => rawHeaders))).not.toContain(rig.secret);
        expect(front.knocks).toEqual([]);
        refuses = false;
        await run.read();
        await run.passUntil('another try', () => ledger.accepted.size > 0, { stepMs: 5_000, mostMs: 400_000 });
        await run.redial();
      },
    },
  );
}

proxyTest('H14 names the proxy that died, and goes on when another stands in its place', {
  async fault(run, proxy) {
    const { rig, ledger } = run;
    proxy.close();
    const guid = run.write();
    await rig.agent.ready(({ conditions }) => conditions.some((one) => one.code === 'EDGE_PROXY_FAILED'));
    await run.down();
    expect(ledger.accepted.has(guid)).toBe(false);
    await connectProxy({ port: proxy.port });
    await waitFor('the message', () => ledger.accepted.has(guid));
    await run.redial();
  },
});
