//! A conversation engine for chat companions: emotion, memory, threads and a plan for every reply.
