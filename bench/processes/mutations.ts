// A process that decodes mutated blobs and prints the figures as JSON: its memory is that of the decoders alone.
import { mutations } from '../decode/mutations.ts';

process.stdout.write(JSON.stringify(mutations(Number(process.env.COUNT), Number(process.env.SEED))));
