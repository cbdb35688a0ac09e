import { setTimeout as pause } from 'node:timers/promises';
import { waitFor } from '../support/waitFor.ts';
import { ANN, BEN } from './harness/FaultRun.ts';
import { faultTest } from './harness/faultTest.ts';

/** Five minutes of the agent's clock, in which every 5 s another cable is cut. */
const FLAPS = 60;
const RATE = 40;
const FLAP_MS = 5000 / RATE;

faultTest('W15 loses and doubles nothing while socket and HTTP go and come in turn for five minutes', {
  async fault(run) {
    const { rig, clock } = run;
    await clock.run(RATE);
    for (let flap = 0; flap < FLAPS; flap++) {
      const [cut, mended] = flap % 2 === 0 ? [rig.cable, rig.httpCable] : [rig.httpCable, rig.cable];
      mended.mend();
      cut.cut();
      if (flap % 3 === 0) await run.both(flap % 2 === 0 ? BEN : ANN);
      await pause(FLAP_MS);
    }
    for (const cable of [rig.cable, rig.httpCable]) cable.mend();
  },
});

faultTest('W15 keeps each thread in order, messages and commands, while the socket flaps for five minutes', {
  commandsInOrder: true,
  async fault(run) {
    const { rig, clock, front } = run;
    const before = front.handshakes.length;
    // Chance decides which of the dials of a growing back-off find a cable that is there.
    const cameBack = () => front.handshakes.length > before + 1;
    await clock.run(RATE);
    for (let flap = 0; flap < FLAPS || !cameBack(); flap++) {
      if (flap % 2 === 0) rig.cable.cut();
      else rig.cable.mend();
      await run.both(flap % 4 < 2 ? ANN : BEN);
      await run.ask(flap % 4 < 2 ? BEN : ANN);
      await pause(FLAP_MS);
    }
    rig.cable.mend();
  },
});

faultTest('W15 falls back to polling when only the socket is cut, and returns to it', {
  async fault(run) {
    run.rig.cable.cut();
    await run.down();
    const id = await run.ask();
    run.write();
    await waitFor('the ack by HTTP', () => run.ledger.acks.get(id)?.includes('completed'));
    run.rig.cable.mend();
    await run.up();
  },
});

faultTest('W15 takes commands and acknowledges them over the socket while HTTP is cut', {
  async fault(run) {
    run.rig.httpCable.cut();
    run.write();
    const id = await run.ask();
    await waitFor('the ack over the socket', () => run.ledger.acks.get(id)?.includes('completed'));
    run.rig.httpCable.mend();
  },
});
