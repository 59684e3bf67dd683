//! Tests of the control plane over real sockets.
