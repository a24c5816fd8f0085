/**
 * Nothing lost, nothing twice, at length: a run of some hundred calls against a loopback server that fails a fifth of them in
 * every way, its process killed by SIGKILL at 20 random moments, equals an undisturbed run row for row.
 *
 *   node --conditions=source packages/harmaug/scripts/check-kills.ts [kills] [instructions a category] [seed]
 */
import { rmSync } from 'node:fs';
import { makeWorkplace } from '../test/augment/harness.node.ts';
import { runWithKills } from '../test/augment/kill-run.node.ts';

const [kills = 20, count = 60, seed = 1] = process.argv.slice(2).map(Number);
const workplace = makeWorkplace();
const startMs = performance.now();
try {
  const report = await runWithKills({
    ...{ workplace, count, kills, between: 40, faultShare: 0.2, seed },
    say: (line) => process.stderr.write(`${line}\n`),
  });
  const { disturbed, undisturbed, repeated, recorded, lost } = report;
  const isSame = JSON.stringify(disturbed) === JSON.stringify(undisturbed);
  const rows = `${disturbed.instructions.length} instructions, ${disturbed.pairs.length} pairs, ${disturbed.labels.length} labels`;
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
  process.stdout.write(
    [
      `${isSame ? 'ok  ' : 'FAIL'} after ${report.kills} kills the set equals the undisturbed run’s: ${rows}`,
      `${repeated === 0 ? 'ok  ' : 'FAIL'} recorded calls asked for again: ${repeated} of ${recorded}`,
      `     answers lost with a process, so asked for twice: ${lost}; ${seconds} s`,
      '',
    ].join('\n'),
  );
  process.exitCode = isSame && repeated === 0 && report.kills === kills ? 0 : 1;
} finally {
  rmSync(workplace.folder, { recursive: true });
}
