"""The fault programme: real processes under injected faults, and a checker that judges what everybody saw afterwards."""
