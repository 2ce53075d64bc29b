#!/usr/bin/env node
// `npm run train`: the process around runTrain.
import { runTrain } from './runTrain.ts';

process.exitCode = runTrain(process.argv.slice(2), { out: process.stdout, err: process.stderr });
