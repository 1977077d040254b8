import { RTCPeerConnection } from 'werift';
import { serve } from './end.mjs';

serve(new RTCPeerConnection({ iceServers: [] }));
