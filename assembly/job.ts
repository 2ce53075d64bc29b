// A job: one program, run side by side by the caller and its workers.
import {
  FAULT_ABORTED, MAX_THREADS, SCRATCH_BYTES, STATUS_OK, SYNC_DONE, SYNC_FAULT, SYNC_JOB, SYNC_PROGRAM, SYNC_READY,
  SYNC_SCRATCH, SYNC_TABLE, SYNC_THREAD_BITS,
} from './abi';
import { abort, announce, changed, reset } from './barrier';
import { run } from './executor';

/** One thread's part of the present job. */
function part(thread: i32, threads: i32, sync: usize): void {
  const scratch = <usize>load<u32>(sync + SYNC_SCRATCH) + <usize>thread * SCRATCH_BYTES;
  const status = run(load<u32>(sync + SYNC_PROGRAM), load<u32>(sync + SYNC_TABLE), scratch, thread, threads, sync);
  if (status != STATUS_OK && (status & 0xff) != FAULT_ABORTED) abort(sync, status, threads);
}

/**
 * Runs `program` on `threads` threads: this one and the first workers, of which there must be enough. Returns when
 * all are done: STATUS_OK or the first fault.
 */
export function share(program: usize, table: usize, threads: i32, sync: usize): i32 {
  store<u32>(sync + SYNC_PROGRAM, <u32>program);
  store<u32>(sync + SYNC_TABLE, <u32>table);
  reset(sync, threads);
  const number = (atomic.load<i32>(sync + SYNC_JOB) >>> SYNC_THREAD_BITS) + 1;
  announce(sync, sync + SYNC_JOB, (number << SYNC_THREAD_BITS) | threads);
  part(0, threads, sync);
  let done = atomic.load<i32>(sync + SYNC_DONE);
  while (done != threads - 1) {
    changed(sync, sync + SYNC_DONE, done);
    done = atomic.load<i32>(sync + SYNC_DONE);
  }
  return atomic.load<i32>(sync + SYNC_FAULT);
}

/** Notes that a worker has done its part, or that it failed with `fault` and is gone. */
export function finish(fault: i32, sync: usize): void {
  const threads = atomic.load<i32>(sync + SYNC_JOB) & MAX_THREADS;
  if (fault != STATUS_OK) abort(sync, fault, threads);
  atomic.add<i32>(sync + SYNC_DONE, 1);
  atomic.notify(sync + SYNC_DONE, -1);
}

/** A worker's life: wait for the next job, do its part. A trap ends it; the host then calls `finish`. */
export function work(thread: i32, sync: usize): void {
  let job = atomic.load<i32>(sync + SYNC_JOB);
  atomic.add<i32>(sync + SYNC_READY, 1);
  while (true) {
    while (!changed(sync, sync + SYNC_JOB, job)) {}
    job = atomic.load<i32>(sync + SYNC_JOB);
    const threads = job & MAX_THREADS;
    if (thread < threads) {
      part(thread, threads, sync);
      finish(STATUS_OK, sync);
    }
  }
}
