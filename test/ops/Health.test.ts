import { describe, expect, it, onTestFinished } from 'vitest';
import { Health, type HealthView } from '../../src/ops/Health.ts';
import { FakeClock } from '../support/FakeClock.ts';

function health() {
  const clock = new FakeClock(1000);
  const told: string[] = [];
  const codes = ({ shown, hidden }: HealthView) =>
    [...shown.map(({ code }) => code), ...hidden.map(({ code }) => `(${code})`)].join(' ');
  const subject = new Health({ clock, onChange: (view) => told.push(codes(view)) });
  onTestFinished(() => subject.stop());
  return { clock, told, health: subject, seen: () => codes(subject.view()) };
}

describe('Health', () => {
  it('tells the beginning of a condition from its going on, and keeps its first time', async () => {
    const { clock, told, health: subject } = health();
    expect(subject.raise('EDGE_BACKEND_AUTH', '401')).toBe(true);
    await clock.advance(500);
    expect(subject.raise('EDGE_BACKEND_AUTH', '401')).toBe(false);
    expect(subject.raise('EDGE_BACKEND_AUTH', '403')).toBe(false);
    expect(subject.raise('EDGE_CHATDB_MISSING', 'no file')).toBe(true);
    const standing = [
      { code: 'EDGE_BACKEND_AUTH', detail: '403', since: 1000 },
      { code: 'EDGE_CHATDB_MISSING', detail: 'no file', since: 1500 },
    ];
    expect(subject.standing()).toEqual(standing);
    expect(subject.view()).toEqual({ shown: standing, hidden: [] });
    expect(subject.clear('EDGE_BACKEND_AUTH')).toBe(true);
    expect(subject.clear('EDGE_BACKEND_AUTH')).toBe(false);
    expect(told).toEqual([
      'EDGE_BACKEND_AUTH',
      'EDGE_BACKEND_AUTH',
      'EDGE_BACKEND_AUTH EDGE_CHATDB_MISSING',
      'EDGE_CHATDB_MISSING',
    ]);
  });

  it('shows a fleeting condition once it has stood for long enough, and says so by itself', async () => {
    const { clock, told, health: subject, seen } = health();
    subject.raise('EDGE_BACKEND_BUSY', '503');
    expect(subject.stands('EDGE_BACKEND_BUSY')).toBe(true);
    await clock.advance(2999);
    expect([seen(), told]).toEqual(['', []]);
    await clock.advance(1);
    expect([seen(), told]).toEqual(['EDGE_BACKEND_BUSY', ['EDGE_BACKEND_BUSY']]);
    expect(subject.view().shown[0]?.since).toBe(1000);
    subject.clear('EDGE_BACKEND_BUSY');
    expect([seen(), told.at(-1)]).toEqual(['', '']);
    expect(clock.pending).toBe(0);
  });

  it('measures by the monotonic clock: a wall clock that is set shows nothing early', async () => {
    const { clock, health: subject, seen } = health();
    subject.raise('EDGE_BACKEND_BUSY', '503');
    clock.jumpWall(86_400_000);
    expect(seen()).toBe('');
    clock.jumpWall(-172_800_000);
    await clock.advance(3000);
    expect(seen()).toBe('EDGE_BACKEND_BUSY');
  });

  it('never shows what is over at the second try', async () => {
    const { clock, told, health: subject } = health();
    for (let n = 0; n < 20; n++) {
      subject.raise('EDGE_BACKEND_BUSY', '503');
      await clock.advance(2000);
      subject.clear('EDGE_BACKEND_BUSY');
      await clock.advance(60_000);
    }
    expect(told).toEqual([]);
  });

  it('lets what comes and goes all the time stand quietly, from its first time until it stays away', async () => {
    const { clock, told, health: subject } = health();
    for (let n = 0; n < 100; n++) {
      subject.raise('EDGE_BACKEND_BUSY', '503');
      await clock.advance(500);
      subject.clear('EDGE_BACKEND_BUSY');
      await clock.advance(500);
    }
    expect(told).toEqual(['EDGE_BACKEND_BUSY']);
    expect(subject.view().shown).toEqual([{ code: 'EDGE_BACKEND_BUSY', detail: '503', since: 1000 }]);
    expect(subject.standing()).toEqual([]);
    await clock.advance(9500);
    expect(told).toEqual(['EDGE_BACKEND_BUSY', '']);
    expect(clock.pending).toBe(0);
  });

  it('says at once that an outage is over, also of what had flapped before it', async () => {
    const { clock, told, health: subject } = health();
    for (let n = 0; n < 4; n++) {
      subject.clear('EDGE_BACKEND_BUSY');
      subject.raise('EDGE_BACKEND_BUSY', '503');
    }
    await clock.advance(60_000);
    subject.clear('EDGE_BACKEND_BUSY');
    expect(told).toEqual(['EDGE_BACKEND_BUSY', '']);
  });

  it('hides what follows from a cause, also while the cause is too young to be shown', async () => {
    const { clock, told, health: subject, seen } = health();
    subject.raise('EDGE_BACKEND_AUTH', '401');
    subject.raise('EDGE_BACKEND_DNS', 'ENOTFOUND');
    expect(seen()).toBe('(EDGE_BACKEND_AUTH)');
    for (const code of ['EDGE_BACKEND_UNREACHABLE', 'EDGE_UPLOAD_RETRIED', 'EDGE_BACKEND_BUSY'] as const) {
      subject.raise(code, 'also');
    }
    await clock.advance(3000);
    expect(seen()).toBe(
      'EDGE_BACKEND_DNS (EDGE_BACKEND_AUTH) (EDGE_BACKEND_UNREACHABLE) (EDGE_UPLOAD_RETRIED) (EDGE_BACKEND_BUSY)',
    );
    subject.clear('EDGE_BACKEND_DNS');
    expect(told.at(-1)).toBe('EDGE_BACKEND_UNREACHABLE (EDGE_BACKEND_AUTH) (EDGE_UPLOAD_RETRIED) (EDGE_BACKEND_BUSY)');
  });

  it('stands for each who met it until the last of them is rid of it', () => {
    const { health: subject } = health();
    subject.raise('EDGE_BACKEND_AUTH', 'of the socket', 'websocket');
    expect(subject.raise('EDGE_BACKEND_AUTH', 'of the sync', 'sync')).toBe(false);
    expect(subject.clear('EDGE_BACKEND_AUTH', 'websocket')).toBe(false);
    expect(subject.view().shown).toMatchObject([{ detail: 'of the sync' }]);
    expect(subject.isClaimed('EDGE_BACKEND_AUTH', 'websocket')).toBe(false);
    expect(subject.clear('EDGE_BACKEND_AUTH', 'sync')).toBe(true);
  });

  it('tells nobody any more once it is stopped', async () => {
    const { clock, told, health: subject, seen } = health();
    subject.raise('EDGE_BACKEND_BUSY', '503');
    subject.stop();
    await clock.advance(5000);
    subject.raise('EDGE_BACKEND_AUTH', '401');
    expect([told, seen()]).toEqual([[], 'EDGE_BACKEND_BUSY EDGE_BACKEND_AUTH']);
  });
});
