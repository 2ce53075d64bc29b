// A job: one program, run side by side by the caller and its workers, or by workers alone.
import {
  FAULT_ABORTED, FINISHED, JOB_ALONE, MAX_THREADS, SCRATCH_BYTES, SEAT_BITS, SEAT_COMING, SEAT_WAITING, SEAT_WORKING,
  STATUS_OK, SYNC_FAULT, SYNC_JOB, SYNC_LEFT, SYNC_PROGRAM, SYNC_SCRATCH, SYNC_TABLE, SYNC_THREAD_BITS,
} from './abi';
import { announce, changed, comes, finish, reachedAt, reset, seatAt } from './barrier';
import { run } from './executor';

/** One thread's part of the present job; true if it was the last. */
function part(thread: i32, threads: i32, sync: usize): bool {
  const scratch = <usize>load<u32>(sync + SYNC_SCRATCH) + <usize>thread * SCRATCH_BYTES;
  const status = run(load<u32>(sync + SYNC_PROGRAM), load<u32>(sync + SYNC_TABLE), scratch, thread, threads, sync);
  return finish(sync, thread, (status & 0xff) == FAULT_ABORTED ? STATUS_OK : status);
}

function open(program: usize, table: usize, threads: i32, alone: i32, sync: usize): void {
  store<u32>(sync + SYNC_PROGRAM, <u32>program);
  store<u32>(sync + SYNC_TABLE, <u32>table);
  reset(sync, threads);
  const number = (atomic.load<i32>(sync + SYNC_JOB) >>> (SYNC_THREAD_BITS + 1)) + 1;
  announce(sync, sync + SYNC_JOB, (number << (SYNC_THREAD_BITS + 1)) | alone | threads);
}

/** Runs `program` on this thread and the first `threads − 1` workers, all of which must be up: STATUS_OK or the first fault. */
export function share(program: usize, table: usize, threads: i32, sync: usize): i32 {
  open(program, table, threads, 0, sync);
  part(0, threads, sync);
  return settle(sync);
}

/** Lets the first `threads` workers, all of which must be up, run `program`, and does not wait for them. */
export function start(program: usize, table: usize, threads: i32, sync: usize): void {
  open(program, table, threads, JOB_ALONE, sync);
}

/** Whether every thread has done its part of the present job, so that `settle` will not wait. */
export function settled(sync: usize): bool {
  return atomic.load<i32>(sync + SYNC_LEFT) == 0;
}

/** Waits for every thread's part of the present job: STATUS_OK or the first fault. */
export function settle(sync: usize): i32 {
  const threads = atomic.load<i32>(sync + SYNC_JOB) & MAX_THREADS;
  for (let t = 0; t < threads; t++) comes(sync, t, FINISHED);
  return atomic.load<i32>(sync + SYNC_FAULT);
}

/** Which thread of a job a worker is; one that takes no part gets a number from `threads` on. */
function threadOf(worker: i32, job: i32): i32 {
  return (job & JOB_ALONE) != 0 && worker == (job & MAX_THREADS) ? 0 : worker;
}

/** Moves a worker from one state of its seat to another; false if the seat is no longer its own. */
function move(worker: i32, ticket: i32, from: i32, to: i32, sync: usize): bool {
  const before = (ticket << SEAT_BITS) | from;
  return atomic.cmpxchg<i32>(seatAt(sync, worker), before, (ticket << SEAT_BITS) | to) == before;
}

/** A worker is up. Returns the present job, which is not its own; 0 if its seat was given away. */
export function sit(worker: i32, ticket: i32, sync: usize): i32 {
  const job = atomic.load<i32>(sync + SYNC_JOB);
  return move(worker, ticket, SEAT_COMING, SEAT_WAITING, sync) ? job : 0;
}

/**
 * A worker's life: wait for the next job after `seen`, do its part. Returns the job if workers ran it alone and this one
 * was the last to finish, for the host to be told; 0 if the worker's seat was given away. A trap ends it; `leave` is
 * then called for it.
 */
export function work(worker: i32, ticket: i32, seen: i32, sync: usize): i32 {
  let job = seen;
  while (true) {
    while (!changed(sync, sync + SYNC_JOB, job)) {
      if (atomic.load<i32>(seatAt(sync, worker)) >>> SEAT_BITS != ticket) return 0;
    }
    job = atomic.load<i32>(sync + SYNC_JOB);
    const threads = job & MAX_THREADS;
    const thread = threadOf(worker, job);
    if (thread >= threads) continue;
    if (!move(worker, ticket, SEAT_WAITING, SEAT_WORKING, sync)) return 0;
    const last = part(thread, threads, sync);
    move(worker, ticket, SEAT_WORKING, SEAT_WAITING, sync);
    if (last && (job & JOB_ALONE) != 0) return job;
  }
}

/** Takes a thread that trapped or died out of its seat, and out of the present job. The caller has worker 0 and ticket 0. */
export function leave(worker: i32, ticket: i32, fault: i32, sync: usize): void {
  if (atomic.load<i32>(seatAt(sync, worker)) >>> SEAT_BITS != ticket) return;
  atomic.store<i32>(seatAt(sync, worker), 0);
  const job = atomic.load<i32>(sync + SYNC_JOB);
  const thread = threadOf(worker, job);
  if (thread < (job & MAX_THREADS) && atomic.load<i32>(reachedAt(sync, thread)) != FINISHED) finish(sync, thread, fault);
}
