"""Playing a workload through a deployment on a simulated clock, with the code that serves."""
