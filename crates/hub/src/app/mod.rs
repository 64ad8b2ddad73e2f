//! What people may do: app functions, each with the actor who asks. All doors call these, and only these.
