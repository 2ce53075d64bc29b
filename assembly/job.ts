// A job: one program, run side by side by a leader, who is its thread 0, and the workers after it. The leader is the
// host, which waits for the end, or a worker, while the host goes on.
import {
  FAULT_ABORTED, FAULT_LOST, JOB_LED, JOB_STEP, MAX_THREADS, SCRATCH_BYTES, STATUS_OK, SYNC_DONE, SYNC_ENDED, SYNC_FAULT,
  SYNC_JOB, SYNC_LEADER, SYNC_PROGRAM, SYNC_READY, SYNC_SCRATCH, SYNC_TABLE,
} from './abi';
import { abort, announce, changed, PATIENCE, reset } from './barrier';
import { run } from './executor';

/** One thread's part of the present job. */
function part(thread: i32, threads: i32, sync: usize): void {
  const scratch = <usize>load<u32>(sync + SYNC_SCRATCH) + <usize>thread * SCRATCH_BYTES;
  const status = run(load<u32>(sync + SYNC_PROGRAM), load<u32>(sync + SYNC_TABLE), scratch, thread, threads, sync);
  if (status != STATUS_OK && (status & 0xff) != FAULT_ABORTED) abort(sync, status, threads);
}

/** Waits until every thread beside the leader has done its part. Returns STATUS_OK or the first fault. */
function close(threads: i32, sync: usize): i32 {
  let naps = 0;
  let done = atomic.load<i32>(sync + SYNC_DONE);
  while (done < threads - 1 && naps < PATIENCE) {
    if (!changed(sync, sync + SYNC_DONE, done)) naps++;
    done = atomic.load<i32>(sync + SYNC_DONE);
  }
  if (naps == PATIENCE) abort(sync, FAULT_LOST, threads);
  return atomic.load<i32>(sync + SYNC_FAULT);
}

function post(job: i32, program: usize, table: usize, sync: usize): i32 {
  store<u32>(sync + SYNC_PROGRAM, <u32>program);
  store<u32>(sync + SYNC_TABLE, <u32>table);
  reset(sync, job & MAX_THREADS);
  const word = ((atomic.load<i32>(sync + SYNC_JOB) & -JOB_STEP) + JOB_STEP) | job;
  announce(sync, sync + SYNC_JOB, word);
  return word;
}

// ---- the host

/** Runs `program` on `threads` threads: the host and the first workers. Returns STATUS_OK or the first fault. */
export function share(program: usize, table: usize, threads: i32, sync: usize): i32 {
  post(threads, program, table, sync);
  part(0, threads, sync);
  return close(threads, sync);
}

/** Has `program` run by the leading worker and the first others; its word at SYNC_ENDED says that they are done. */
export function launch(program: usize, table: usize, threads: i32, sync: usize): i32 {
  return post(threads | JOB_LED, program, table, sync);
}

/** Tells every worker to leave the page. */
export function dismiss(sync: usize): void {
  post(0, 0, 0, sync);
}

// ---- a worker

/** Notes that a worker has come up; returns the job it need not do. */
export function enter(sync: usize): i32 {
  const job = atomic.load<i32>(sync + SYNC_JOB);
  atomic.add<i32>(sync + SYNC_READY, 1);
  return job;
}

/** Does the jobs after `job` until it has led one, whose word it returns, or is to leave: 0. */
export function work(worker: i32, sync: usize, job: i32): i32 {
  const leads = worker == load<i32>(sync + SYNC_LEADER);
  while (job == 0 || (job & MAX_THREADS) != 0) {
    while (!changed(sync, sync + SYNC_JOB, job)) {}
    job = atomic.load<i32>(sync + SYNC_JOB);
    const threads = job & MAX_THREADS;
    if (leads && job & JOB_LED) {
      part(0, threads, sync);
      close(threads, sync);
      end(job, sync);
      return job;
    }
    if (worker < threads) {
      part(worker, threads, sync);
      finish(sync);
    }
  }
  return 0;
}

function finish(sync: usize): void {
  atomic.add<i32>(sync + SYNC_DONE, 1);
  atomic.notify(sync + SYNC_DONE, -1);
}

function end(job: i32, sync: usize): void {
  atomic.store<i32>(sync + SYNC_ENDED, job);
  atomic.notify(sync + SYNC_ENDED, -1);
}

/** Notes that a worker, or the host (0), failed in the present job and does no more of it; a leader's waits for the others. */
export function fail(fault: i32, worker: i32, sync: usize): void {
  const job = atomic.load<i32>(sync + SYNC_JOB);
  const threads = job & MAX_THREADS;
  const leader = job & JOB_LED ? load<i32>(sync + SYNC_LEADER) : 0;
  abort(sync, fault, threads);
  if (worker == leader) {
    close(threads, sync);
    end(job, sync);
  } else if (worker < threads) finish(sync);
}
